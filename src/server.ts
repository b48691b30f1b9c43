import { randomUUID } from 'node:crypto'
import http, { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import { Incoming } from './incoming.ts'
import { inOnePiece } from './one-piece.ts'
import type { Settings } from './settings.ts'

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown

/** An HTTP server with kolba's timeouts and limits. What Node refuses by itself is a problem document too. */
export function createServer({ timeouts, limits }: Settings, listener: Listener): Server {
  const server = http.createServer(
    {
      IncomingMessage: Incoming,
      headersTimeout: milliseconds(Math.min(timeouts.headers, timeouts.request)),
      requestTimeout: milliseconds(timeouts.request),
      keepAliveTimeout: milliseconds(timeouts.keepAlive),
      connectionsCheckingInterval: 5000,
      maxHeaderSize: limits.headerBytes,
      // The guard refuses a request without a Host, with a problem document.
      requireHostHeader: false,
    },
    listener,
  )
  // Past this number Node drops headers and says nothing; the bytes are limited, and the guard counts.
  server.maxHeadersCount = 0
  server.on('clientError', refuseUnread)
  server.on('connection', inOnePiece)
  // An Expect header that Node does not know: the guard answers it like everything else that it refuses.
  server.on('checkExpectation', listener)
  return server
}

/** Node takes whole numbers only. */
function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000)
}

/** Answers a request that could not be read, and closes its connection, whose next bytes could mean anything. */
function refuseUnread(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Node keeps the response under way on the socket; into one half-written, nothing may be put.
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse }
  // What cannot be read came behind a whole request, whose client must not take this answer for that request's.
  if (response?.req.complete && !response.writableFinished)
    return void response.once('close', () => socket.destroy()).once('finish', () => socket.end())
  if (error.code === 'ECONNRESET' || !socket.writable || response?.headersSent) return void socket.destroy()
  const [status, detail] = REFUSALS[error.code ?? ''] ?? [400, 'The request is not HTTP as RFC 9112 has it.']
  const requestId = randomUUID()
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, requestId })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    `X-Request-Id: ${requestId}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const REFUSALS: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'The header fields are too large together.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
}

/** Stops accepting, lets what is under way end for so many seconds, and cuts off the rest. */
export async function drain(server: Server, seconds: number): Promise<void> {
  // It may be looking up its host still; or it accepts no more, and answers on what is open.
  if (!server.listening && !(await hasConnections(server))) return void server.once('listening', () => server.close())
  let late: NodeJS.Timeout | undefined
  await new Promise<unknown>(resolve => {
    server.close(resolve)
    server.closeIdleConnections()
    late = setTimeout(() => {
      server.closeAllConnections()
      // Those are gone in a moment, but for an upgraded one, such as a WebSocket: whoever has it closes it on stop.
      late = setTimeout(resolve, 100)
    }, seconds * 1000)
  })
  clearTimeout(late)
}

async function hasConnections(server: Server): Promise<boolean> {
  return (await promisify(server.getConnections.bind(server))()) > 0
}

/**
 * Closes the app on SIGTERM and SIGINT and then ends the process, unless another listener is still at work on the
 * signal. A second signal ends it at once.
 *
 * @returns a function that takes the listeners off again.
 */
export function closeOnSignal(close: () => Promise<void>): () => void {
  let first = true
  const onSignal = (signal: NodeJS.Signals) => {
    if (!first) process.exit(signal === 'SIGINT' ? 130 : 143)
    first = false
    close().then(
      () => process.listenerCount(signal) === 0 && process.exit(0),
      error => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  const signals = ['SIGTERM', 'SIGINT'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
