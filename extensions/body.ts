import { type BodyOptions, bodyReader } from '../src/body/body.ts'
import { type Decorator, decorator } from '../src/index.ts'

export type { BodyOptions } from '../src/index.ts'

/** What `body()` adds to ctx. It is unknown because nobody has checked it yet: that is `input()`'s to do. */
export interface BodyInput {
  input: { body: unknown }
}

/**
 * Reads the body by its declared type, as `ctx.input.body`: JSON (RFC 8259, UTF-8, no `__proto__` nor
 * `constructor.prototype`), a form as an object of strings (of lists where a name repeats), or text.
 *
 * Answers 415 for another type, charset or coding, 413 past the limit, and 400 for what is malformed or not there.
 * A body that a Koa middleware has parsed already, as `ctx.request.body`, is taken as it is.
 *
 * @throws TypeError for a wrong option
 * @example app.post('/books', body({ types: ['json'] }), ctx => shelf.add(ctx.input.body))
 */
export function body(options: BodyOptions = {}): Decorator<BodyInput> {
  const { read, note } = bodyReader('body', options)
  return decorator(
    'body',
    async (ctx, next) => {
      const { input } = ctx as { input?: { body?: unknown } }
      if (input && 'body' in input) return next({ input } as BodyInput)
      return next({ input: { ...input, body: (await read(ctx)).value } })
    },
    { note, reads: true },
  )
}
