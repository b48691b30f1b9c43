import http, { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Settings } from './settings.ts'

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown

/** An HTTP server with kolba's timeouts and limits. What Node refuses by itself is a problem document too. */
export function createServer({ timeouts, limits }: Settings, listener: Listener): Server {
  const server = http.createServer(
    {
      headersTimeout: timeouts.headers * 1000,
      requestTimeout: timeouts.request * 1000,
      keepAliveTimeout: timeouts.keepAlive * 1000,
      connectionsCheckingInterval: 5000,
      maxHeaderSize: limits.headerBytes,
    },
    listener,
  )
  // Past this number Node drops headers and says nothing; the bytes are limited, and the guard counts.
  server.maxHeadersCount = 0
  server.on('clientError', refuseUnread)
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    const body = document(417, 'Only "Expect: 100-continue" is understood.')
    res.writeHead(417, { 'Content-Type': 'application/problem+json', 'Content-Length': body.length }).end(body)
  })
  return server
}

/** Answers a request that could not be read, and closes its connection, whose next bytes could mean anything. */
function refuseUnread(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Node keeps the response under way on the socket; into one half-written, nothing may be put.
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse }
  if (error.code === 'ECONNRESET' || !socket.writable || response?.headersSent) return void socket.destroy()
  const [status, detail] = REFUSALS[error.code ?? ''] ?? [400, 'The request is not HTTP as RFC 9112 has it.']
  const body = document(status, detail)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
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

function document(status: number, detail: string): string {
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail })
}

/** Stops accepting, lets what is under way end for so many seconds, and cuts off the rest. */
export async function drain(server: Server, seconds: number): Promise<void> {
  if (!server.listening) return
  const closed = new Promise(resolve => server.close(resolve))
  server.closeIdleConnections()
  const late = setTimeout(() => server.closeAllConnections(), seconds * 1000)
  await closed
  clearTimeout(late)
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
