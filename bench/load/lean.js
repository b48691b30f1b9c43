// A client for this process that does little itself, so that the server is kept busy: the bytes of the requests are made
// once, each connection sends one and waits for its answer, and of an answer only status and length are read.
import { once } from 'node:events'
import net from 'node:net'

const NONE = Buffer.alloc(0)
const CLOSED = 0

/** @returns `{ send(count), close() }` for requests in turn over so many connections. */
export async function connect(url, requests, connections) {
  const { hostname: host, port } = new URL(url)
  const texts = requests.map(request => Buffer.from(textOf(request, `${host}:${port}`)))
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(Number(port), host)))
  let turn = 0
  const next = () => {
    turn = (turn + 1) % requests.length
    return turn
  }

  /** Sends so many, and resolves when all are answered with the status that they should have. */
  async function send(count) {
    let left = count
    const worker = async (_socket, place) => {
      while (left > 0) {
        left -= 1
        const index = next()
        const status = await ask(place, texts[index])
        const { path, status: should = 200 } = requests[index]
        if (status !== should) throw new Error(`bench: ${path} answers ${status} and should ${should}.`)
      }
    }
    await Promise.all(sockets.map(worker))
  }

  /** A server closes what was idle for 5 s, as a connection is while the other server has its turn on a busy machine. */
  async function ask(place, text) {
    for (;;) {
      if (sockets[place].destroyed) sockets[place] = await open(Number(port), host)
      sockets[place].write(text)
      const status = await answerOf(sockets[place])
      if (status !== CLOSED) return status
    }
  }

  function close() {
    for (const socket of sockets) socket.destroy()
  }

  return { send, close }
}

async function open(port, host) {
  const socket = net.connect({ port, host, noDelay: true })
  await once(socket, 'connect')
  // A connection that the server resets is closed, and the next request opens another.
  return socket.on('error', () => {})
}

export function textOf({ method = 'GET', path, headers = {}, body = '' }, host) {
  const length = body ? { 'Content-Length': Buffer.byteLength(body) } : {}
  const lines = Object.entries({ Host: host, ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Reads one answer to its end, which has a Content-Length or no body. @returns its status, or CLOSED if none came. */
function answerOf(socket) {
  return new Promise((resolve, reject) => {
    let read = NONE
    const end = (error, status) => {
      socket.removeAllListeners('data').removeAllListeners('close')
      if (error) reject(error)
      else resolve(status)
    }
    const onClose = () => {
      if (read.length > 0) end(new Error('bench: the server closed a connection in the middle of an answer.'))
      else end(undefined, CLOSED)
    }
    socket.on('close', onClose)
    if (socket.destroyed) onClose()
    socket.on('data', chunk => {
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk])
      const head = read.indexOf('\r\n\r\n')
      if (head === -1) return
      const text = read.latin1Slice(0, head)
      const length = Number(/^content-length: (\d+)$/im.exec(text)?.[1] ?? 0)
      const status = Number(text.slice(9, 12))
      if (status === 304 || read.length >= head + 4 + length) end(undefined, status)
    })
  })
}
