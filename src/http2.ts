import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'

/** The stream of a request or a response over HTTP/2; undefined over HTTP/1.1, which has none. */
export function streamOf(its: IncomingMessage | ServerResponse): ServerHttp2Stream | undefined {
  return (its as { stream?: ServerHttp2Stream }).stream
}

/** Is it all over with a response? That of HTTP/2 does not say so of itself. */
export function isClosed(res: ServerResponse): boolean {
  return streamOf(res)?.destroyed ?? res.closed
}
