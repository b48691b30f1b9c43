import { createHash } from 'node:crypto'
import { type AroundContext, nameOf, type Route } from '../../src/index.ts'

/**
 * Looks at what a request asks for: its query, how its body is declared, and the bytes of that as whoever is below reads
 * them. All ways to read a stream go through its `data` events, so this sees what they see, and takes nothing from them.
 *
 * @returns a function that ends it, and gives a hash of all there was
 * @throws TypeError where somebody above has read the body and left nothing of it
 */
export function watchPayload(ctx: AroundContext, route: Route): () => string {
  const { req } = ctx
  const { emit } = req
  const hash = createHash('sha256')
  const declared = [ctx.querystring, req.headers['content-type'] ?? '', req.headers['content-encoding'] ?? '']
  hash.update(JSON.stringify(declared))

  function watched(name: string | symbol, ...rest: unknown[]): boolean {
    if (name === 'data') hash.update(rest[0] as Buffer | string)
    return emit.call(req, name, ...rest)
  }

  if (req.readableDidRead) hash.update(parsedAbove(ctx, route))
  else req.emit = watched as typeof emit
  let text: string | undefined
  return () => {
    if (req.emit === watched) req.emit = emit
    text ??= hash.digest('base64url')
    return text
  }
}

/** A Koa middleware that parses bodies leaves the value, and most of them the text. */
function parsedAbove(ctx: AroundContext, route: Route): string | Uint8Array {
  const { rawBody, body } = ctx.request as { rawBody?: unknown; body?: unknown }
  if (typeof rawBody === 'string' || rawBody instanceof Uint8Array) return rawBody
  const text = body === undefined ? undefined : JSON.stringify(body)
  if (text !== undefined) return text
  throw new TypeError(`${nameOf(route)}: something above idempotent has read the body. Put idempotent() above it.`)
}
