import { once } from 'node:events'
import type { Server } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { Kolba } from 'kolba'

/** Starts an app on a free port until the test ends. Options of the app should have `signals: false`. */
export async function listening(t: ExecutionContext, app: Kolba): Promise<{ port: number; server: Server }> {
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    return app.close()
  })
  if (!server.listening) await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server }
}

/** An answer as it came over the line. */
export interface Answer {
  readonly status: number
  /** By lower-case name, the values of a repeated one joined by a line break. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A connection that says exactly what it is told to. */
export class Line {
  readonly socket: Socket
  /** Everything that has come, as Latin-1. */
  text = ''
  readonly closed: Promise<void>
  #changed = () => {}

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1')
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.text += text
      this.#changed()
    })
    // A reset is an end like others here.
    this.socket.on('error', () => {})
    this.closed = new Promise(resolve => {
      this.socket.on('close', () => {
        resolve()
        this.#changed()
      })
    })
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** Resolves when what has come fits, or nothing more can come. */
  until(fits: (text: string) => boolean): Promise<void> {
    return new Promise(resolve => {
      this.#changed = () => {
        if (fits(this.text) || this.socket.destroyed) resolve()
      }
      this.#changed()
    })
  }

  /** The answers so far; the first may be cut short. */
  answers(): Answer[] {
    return readAnswers(this.text)
  }

  /** Waits for so many whole answers. */
  async next(count = 1): Promise<Answer> {
    await this.until(text => readAnswers(text).length >= count)
    return this.answers()[count - 1] as Answer
  }
}

/** Sends text, and gives all answers when the server has closed the connection. */
export async function exchange(port: number, text: string | Uint8Array): Promise<Answer[]> {
  const line = new Line(port).write(text)
  await line.closed
  return line.answers()
}

/** Reads answers one behind the other, with Content-Length or in chunks. */
function readAnswers(text: string): Answer[] {
  const head = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(text)
  if (!head) return []
  const headers: Record<string, string> = {}
  for (const line of (head[2] as string).split('\r\n').filter(Boolean)) {
    const [name = '', value = ''] = line.split(/: ?(.*)/s)
    const key = name.toLowerCase()
    headers[key] = key in headers ? `${headers[key]}\n${value}` : value
  }
  const status = Number(head[1])
  const rest = text.slice(head[0].length)
  const [body, used] = headers['transfer-encoding'] === 'chunked' ? readChunks(rest) : readLength(rest, headers, status)
  if (body === undefined) return []
  return [{ status, headers, body }, ...readAnswers(rest.slice(used))]
}

function readLength(text: string, headers: Record<string, string>, status: number): [string | undefined, number] {
  const length = status === 204 || status === 304 || status < 200 ? 0 : Number(headers['content-length'] ?? 0)
  return text.length < length ? [undefined, 0] : [text.slice(0, length), length]
}

function readChunks(text: string): [string | undefined, number] {
  let body = ''
  let at = 0
  for (;;) {
    const size = /^([\da-f]+)\r\n/i.exec(text.slice(at))
    if (!size) return [undefined, 0]
    const length = Number.parseInt(size[1] as string, 16)
    at += size[0].length + length + 2
    if (at > text.length) return [undefined, 0]
    if (length === 0) return [body, at]
    body += text.slice(at - length - 2, at - 2)
  }
}
