import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Kolba } from '../app.ts'
import type { BaseContext } from '../context.ts'

/** What is left of a request that is over. */
export interface DetachedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly protocol: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
  readonly requestId: string
}

/**
 * A context without a connection, for what goes on when its request is over: all of Koa's context, with the URL, scheme
 * and host of that request, so that `ctx.urlFor` gives the same. What it is answered with stands on it and goes nowhere,
 * its body is empty, and its signal is the one that is given.
 */
export function detached(app: Kolba, request: DetachedRequest, signal: AbortSignal): BaseContext {
  const { method, url, protocol, host, headers, requestId } = request
  const message = Object.assign(new IncomingMessage(new Socket()), { method, url, headers: { ...headers, host } })
  message.push(null)
  const ctx = app.createContext(message, new ServerResponse(message)) as unknown as BaseContext
  // These are what the proxies that were believed then have said of it.
  Object.defineProperties(ctx.request, { protocol: { value: protocol }, host: { value: host } })
  Object.defineProperty(ctx, 'signal', { value: signal })
  return Object.assign(ctx, { requestId })
}
