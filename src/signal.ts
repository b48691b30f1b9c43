import { AsyncResource } from 'node:async_hooks'
import type { BaseContext } from './context.ts'
import { isClosed, streamOf } from './http2.ts'

const abortable = Symbol('abortable')

/** Why the work for a request may end: nobody waits for it any more. */
class ClientGone extends Error {
  override readonly name = 'AbortError'
  override readonly message = 'The client has gone.'
}

interface Abortable {
  readonly signal: AbortSignal
  readonly abort: (reason: Error) => void
}

type Aborting = BaseContext & { [abortable]?: Abortable }

/** `ctx.signal`: made when a handler first asks for it, so that the others pay nothing. */
export function signalOf(ctx: Aborting): AbortSignal {
  ctx[abortable] ??= made(ctx)
  return ctx[abortable].signal
}

/** Aborts it, for one who asks for it later too. */
export function abort(ctx: Aborting, reason: Error): void {
  ctx[abortable] ??= made(ctx)
  ctx[abortable].abort(reason)
}

function made({ res }: BaseContext): Abortable {
  const controller = new AbortController()
  // Who listens to it is called in the async context of its own request, whoever finds that it is late.
  const abort = AsyncResource.bind((reason: Error) => controller.abort(reason))
  const onClose = () => {
    // Of a stream that its client has reset, Node says that all was written.
    if (streamOf(res)?.aborted || !res.writableFinished) abort(new ClientGone())
  }
  isClosed(res) ? onClose() : res.once('close', onClose)
  return { signal: controller.signal, abort }
}
