// Load that does not wait for answers: requests come at random times of their own, as those of many clients do, however
// long the answers take. A time is counted from when a request was due, so that one that finds no connection free, or a
// client that is late, is not left out.
import net from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { textOf } from './lean.js'

/**
 * Opened before it begins, and answered once: a server takes one in each turn of its loop, so a busy one takes its time,
 * and to one that says nothing for long it says 408, which would be heard as the answer to the next request.
 */
const CONNECTIONS = 400
const AT_ONCE = 50
const GREETING = 'GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n'

/**
 * Offers so many requests a second for some seconds.
 *
 * @returns the answers: `{ status, took, at, hasRetryAfter }`, in milliseconds, and how many had none after 10 s
 */
export async function offer(url, requests, { rate, seconds }) {
  const { hostname: host, port } = new URL(url)
  const texts = requests.map(request => textOf(request, `${host}:${port}`))
  const answers = []
  const free = []
  const due = []
  let open = 0
  let sent = 0
  let underWay = 0
  let start

  function connect() {
    open += 1
    const connection = { socket: net.connect({ port: Number(port), host, noDelay: true }), asked: undefined, read: '' }
    connection.socket
      .setEncoding('latin1')
      .on('connect', () => (due.length > 0 ? take(connection) : connection.socket.write(GREETING)))
      .on('data', chunk => hear(connection, chunk))
      .on('error', () => {})
      .on('close', () => {
        open -= 1
        const place = free.indexOf(connection)
        if (place >= 0) free.splice(place, 1)
        if (connection.asked === undefined) return
        // The server closes what was idle for long, and may do so while a request is on its way there.
        if (connection.read === '') {
          due.push(connection.asked)
          return connect()
        }
        answers.push({ status: 0, took: 0, at: connection.asked - start })
        underWay -= 1
      })
  }

  /** A connection has nothing to do: the next request that is due, or none. */
  function take(connection) {
    const at = due.shift()
    if (at === undefined) free.push(connection)
    else ask(connection, at)
  }

  function ask(connection, at) {
    connection.asked = at
    connection.socket.write(texts[sent % texts.length])
    sent += 1
  }

  function hear(connection, chunk) {
    connection.read += chunk
    const head = connection.read.indexOf('\r\n\r\n')
    if (head < 0) return
    const text = connection.read.slice(0, head)
    const length = Number(/^content-length: (\d+)$/im.exec(text)?.[1] ?? 0)
    if (connection.read.length < head + 4 + length) return
    if (connection.asked !== undefined) note(connection.asked, text)
    connection.asked = undefined
    connection.read = ''
    take(connection)
  }

  function note(asked, text) {
    const now = performance.now()
    const hasRetryAfter = /^retry-after: [1-9]\d*$/im.test(text)
    const status = Number(text.slice(9, 12))
    answers.push({ status, took: now - asked, at: asked - start, hasRetryAfter })
    underWay -= 1
  }

  while (open < CONNECTIONS) {
    for (let count = 0; count < AT_ONCE; count += 1) connect()
    while (free.length < open) await turn()
  }
  start = performance.now()
  const end = start + seconds * 1000
  // The time between two of them is exponential, so that they know nothing of each other.
  const gap = () => (-Math.log(1 - Math.random()) * 1000) / rate
  let next = start + gap()
  while (next < end) {
    const now = performance.now()
    for (; next <= now && next < end; next += gap()) {
      underWay += 1
      const connection = free.pop()
      if (connection) ask(connection, next)
      else {
        due.push(next)
        if (open < CONNECTIONS) connect()
      }
    }
    // A timer is a millisecond late or more.
    await (next - performance.now() > 3 ? sleep(1) : turn())
  }
  const late = performance.now() + 10_000
  while (underWay > 0 && performance.now() < late) await sleep(1)
  for (const { socket } of free) socket.destroy()
  return { answers, unanswered: underWay }
}
