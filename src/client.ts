import { once } from 'node:events'
import http, { type IncomingHttpHeaders, type RequestOptions, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { checkOptions, type Kind, kinds } from './check.ts'

export interface ClientOptions {
  /** Over a real port of this machine instead of in memory; `client.close()` then closes it. @default false */
  port?: boolean
  /** Headers of every request, `{ authorization: 'Bearer ...' }`. */
  headers?: Readonly<Record<string, string>>
  /** Keeps the cookies that the app sets, and sends them along. @default false */
  cookies?: boolean
}

/** A request, in the words of `fetch`; `json` is a body to be written as JSON. */
export interface RequestInit {
  method?: string
  headers?: Readonly<Record<string, string | readonly string[]>>
  body?: string | Uint8Array
  json?: unknown
  signal?: AbortSignal
}

const content: Kind = {
  words: 'a string or bytes; an object goes into json',
  test: value => typeof value === 'string' || value instanceof Uint8Array,
}
const anything: Kind = { words: 'anything', test: () => true }
const INIT = { method: kinds.text, headers: kinds.object, body: content, json: anything, signal: kinds.object }

type Call = (path: string, init?: RequestInit) => Promise<Response>

/** What the client needs of an app. */
interface Host {
  start(): Promise<void>
  createServer(): Server
  listen(server: Server, args: unknown[]): Server
}

/**
 * Calls an app as `fetch` would, through the whole of it, HTTP parser and limits included, and needs no port.
 * Redirects are answers like others and are not followed. Made by `app.client()`.
 *
 * @example
 * const response = await app.client().get('/books')
 * t.deepEqual(await response.json(), [])
 */
export class Client {
  readonly get = this.#verb('GET')
  readonly head = this.#verb('HEAD')
  readonly post = this.#verb('POST')
  readonly put = this.#verb('PUT')
  readonly patch = this.#verb('PATCH')
  readonly delete = this.#verb('DELETE')
  readonly options = this.#verb('OPTIONS')
  readonly query = this.#verb('QUERY')

  readonly #host: Host
  readonly #options: ClientOptions
  readonly #cookies = new Map<string, string>()
  #server: Promise<Server> | undefined

  constructor(host: Host, options: ClientOptions = {}) {
    checkOptions('client', options, { port: kinds.flag, headers: kinds.object, cookies: kinds.flag })
    this.#host = host
    this.#options = options
  }

  /** Sends a request. It rejects where the connection fails, and resolves for every status. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const { method = 'GET', headers, body, json, signal } = init
    checkOptions(`client ${method} ${path}`, init, INIT)
    if (!/^\/|^\*$|^https?:/.test(path)) throw new TypeError(`client: ${path} is no path. Begin it with a slash.`)
    this.#server ??= this.#open()
    const server = await this.#server
    const content = json === undefined ? body : JSON.stringify(json)
    const all: Record<string, unknown> = {
      ...lowered(this.#options.headers),
      ...this.#cookieHeader(),
      ...lowered(headers),
    }
    if (json !== undefined) all['content-type'] ??= 'application/json'
    if (content !== undefined) all['content-length'] ??= Buffer.byteLength(content)
    const options = { method, path, headers: { host: 'localhost', ...all } as never, ...(signal && { signal }) }
    const response = await send(options, server, this.#options.port === true, content)
    this.#keep(response.headers.getSetCookie())
    return response
  }

  /** Closes the port, where there is one; `app.close()` does it too. */
  async close(): Promise<void> {
    const server = await this.#server
    this.#server = undefined
    if (server?.listening) await new Promise(resolve => server.close(resolve))
  }

  #verb(method: string): Call {
    return (path, init) => this.fetch(path, { ...init, method })
  }

  async #open(): Promise<Server> {
    await this.#host.start()
    const server = this.#host.createServer()
    if (this.#options.port) await once(this.#host.listen(server, [0, '127.0.0.1']), 'listening')
    return server
  }

  #cookieHeader(): { cookie?: string } {
    if (this.#cookies.size === 0) return {}
    return { cookie: [...this.#cookies].map(pair => pair.join('=')).join('; ') }
  }

  #keep(lines: string[]): void {
    if (!this.#options.cookies) return
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(/; */)
      const name = pair.slice(0, pair.indexOf('='))
      if (isOver(attributes)) this.#cookies.delete(name)
      else this.#cookies.set(name, pair.slice(name.length + 1))
    }
  }
}

/** RFC 6265 section 5.3: Max-Age has precedence over Expires. */
function isOver(attributes: string[]): boolean {
  const textOf = (name: RegExp) => attributes.findLast(it => name.test(it))?.replace(name, '')
  const age = textOf(/^max-age=(?=-?\d+$)/i)
  return age === undefined ? Date.parse(textOf(/^expires=/i) ?? '') <= Date.now() : Number(age) <= 0
}

function send(options: RequestOptions, server: Server, port: boolean, body?: string | Uint8Array): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...options, ...(port ? address(server) : connection(server)) })
    request.on('error', reject)
    request.on('response', async incoming => {
      try {
        const content = await buffer(incoming)
        const status = incoming.statusCode as number
        const empty = options.method === 'HEAD' || [204, 205, 304].includes(status)
        resolve(
          new Response(empty ? null : content, {
            status,
            statusText: incoming.statusMessage ?? '',
            headers: pairs(incoming.headers),
          }),
        )
      } catch (error) {
        reject(error)
      }
    })
    request.end(body)
  })
}

function address(server: Server): RequestOptions {
  return { agent: false, host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

/** Two ends of a line in memory: one is the server's connection, the other the client's. They have no timeouts. */
function connection(server: Server): RequestOptions {
  return {
    createConnection: () => {
      const [near, far] = duplexPair()
      tie(near, far)
      tie(far, near)
      // What the server asks of a socket beside reading and writing. Time limits need a socket: `port: true`.
      server.emit('connection', Object.assign(far, { remoteAddress: '127.0.0.1', setTimeout: () => far }))
      return near as never
    },
  }
}

/** Where one end is cut off, the other is too, as on a real line, after it has had what was on the way. */
function tie(end: Duplex, other: Duplex): void {
  end.on('close', () => {
    if (!end.writableFinished) setImmediate(() => other.destroy())
  })
}

function lowered(headers: RequestInit['headers'] = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function pairs(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map(text => [name, text] as [string, string]),
  )
}
