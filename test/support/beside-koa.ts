// The same middleware in a plain Koa and in kolba, asked the same over a socket: what is seen of the two is compared.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { isPromise, type KolbaOptions, kolba } from 'kolba'
import { DIFFERENCES, type Named } from './koa-differences.ts'
import { Line } from './raw.ts'

/** What one asks; `GET /` if nothing is said. */
export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer as it is on the line. */
export interface Seen {
  /** `HTTP/1.1 200 OK` */
  readonly line: string
  /** The header lines in the order of the alphabet, no Date and Keep-Alive, with one value for every X-Request-Id. */
  readonly headers: readonly string[]
  /** As Latin-1. */
  readonly body: string
  /** The connection broke off before the end of it. */
  readonly cut?: true
}

/** What became of a request, sent twice on one connection if that is kept: so a byte too many or too few is seen. */
export interface Talk {
  readonly answers: readonly Seen[]
  /** Open, if it was waited for the rest of an answer as long as it is to be. */
  readonly connection: 'kept' | 'closed' | 'open'
  /** What `app.on('error')` was told. */
  readonly errors: readonly string[]
}

/** How a middleware stands in an app. */
export type Way = 'koa' | 'use' | 'route'

export type Run = (ctx: Koa.Context, next: Koa.Next) => unknown

export interface Case {
  readonly ask?: Ask | undefined
  readonly run: Run
  /** What is done to the app before it listens. */
  readonly setup?: ((app: Koa) => void) | undefined
  /** Of both, in the words of both. */
  readonly options?: Pick<KolbaOptions, 'env' | 'keys' | 'subdomainOffset' | 'asyncLocalStorage'> | undefined
  /** The client is a proxy that is believed: Koa's `proxy: true`, kolba's list. */
  readonly isProxy?: boolean | undefined
  /** Milliseconds to wait for an answer that may never come. */
  readonly patience?: number | undefined
}

/** An id in the place of every other, of the same length. */
export const ANY_ID = '000000000000'
const ID = /^[\w-]{12}$/

/** An app with the middleware in its place. */
export function appOf(way: Way, { run, setup, options = {}, isProxy = false }: Case): Koa {
  const proxy = isProxy ? ['127.0.0.1'] : []
  const app = way === 'koa' ? new Koa({ proxy: isProxy, ...options }) : kolba({ signals: false, proxy, ...options })
  setup?.(app)
  if (way !== 'route') app.use(run as Koa.Middleware)
  else (app as ReturnType<typeof kolba>).all('/{*rest}', ctx => handler(run, ctx))
  return app
}

/** As a handler that answers in Koa's way. No promise is made where the middleware makes none. */
function handler(run: Run, ctx: unknown): unknown {
  const running = run(ctx as Koa.Context, async () => {})
  return isPromise(running) ? running.then(() => undefined) : undefined
}

/** Lets an app listen until the test ends. */
export async function portOf(t: ExecutionContext, app: Koa): Promise<number> {
  const server: Server = app.listen(0, '127.0.0.1')
  // On a busy machine five seconds are soon over between two requests.
  server.keepAliveTimeout = 120_000
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  if (!server.listening) await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Asks an app twice on one connection. */
export async function talk(t: ExecutionContext, way: Way, it: Case): Promise<Talk> {
  const app = appOf(way, it)
  const errors: string[] = []
  app.on('error', (error: Error) => errors.push(`${error.name}: ${error.message}`))
  const line = new Line(await portOf(t, app))
  const answers: Seen[] = []
  const { method = 'GET' } = it.ask ?? {}
  for (let count = 1; count <= 2 && !line.socket.destroyed; count += 1) {
    line.write(textOf(it.ask))
    const answered = line.until(text => readAll(text, method, false).length >= count)
    if (it.patience && (await isLate(answered, it.patience))) return { answers, connection: 'open', errors }
    await answered
    const answer = readAll(line.text, method, line.socket.destroyed)[count - 1]
    if (answer) answers.push(answer)
    if (answer?.headers.includes('Connection: close')) await line.closed
  }
  const connection = line.socket.destroyed ? 'closed' : 'kept'
  line.socket.destroy()
  return { answers, connection, errors }
}

function isLate(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return Promise.race([promise.then(() => false), setTimeout(milliseconds, true)])
}

export function textOf({ method = 'GET', path = '/', headers = {}, body = '' }: Ask = {}): string {
  const all = { Host: 'example.com', ...(body && { 'Content-Length': String(Buffer.byteLength(body)) }), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

function readAll(text: string, method: string, isOver: boolean): Seen[] {
  const head = /^(HTTP\/1\.1 (\d{3})[^\r\n]*)\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(text)
  if (!head) return []
  const [all, line = '', status, lines = ''] = head
  // How long a connection is kept is a matter of the server.
  const headers = lines.split('\r\n').filter(it => it && !/^(?:Date|Keep-Alive): /.test(it))
  const [body, used] = bodyOf(text.slice(all.length), headers, method === 'HEAD' || /^(?:204|304)$/.test(status ?? ''))
  if (body === undefined) return isOver ? [{ ...sameId(line, headers, text.slice(all.length)), cut: true }] : []
  return [sameId(line, headers, body), ...readAll(text.slice(all.length + used), method, isOver)]
}

function sameId(line: string, headers: string[], body: string): Seen {
  const own = headers.find(it => it.startsWith('X-Request-Id: '))?.slice(14)
  if (!own || !ID.test(own)) return { line, headers: headers.sort(), body }
  return { line, headers: headers.map(it => it.replace(own, ANY_ID)).sort(), body: body.replace(own, ANY_ID) }
}

/** The body with the number of bytes that it takes on the line; undefined while it is not whole. */
function bodyOf(text: string, headers: string[], isEmpty: boolean): [string | undefined, number] {
  if (isEmpty) return ['', 0]
  const header = (name: string) => headers.find(it => it.toLowerCase().startsWith(`${name}: `))?.split(': ')[1]
  if (header('transfer-encoding') === 'chunked') return readChunks(text)
  const length = Number(header('content-length') ?? Number.NaN)
  return text.length >= length ? [text.slice(0, length), length] : [undefined, 0]
}

function readChunks(text: string): [string | undefined, number] {
  let body = ''
  let at = 0
  for (;;) {
    const size = /^([\da-f]+)\r\n/i.exec(text.slice(at))
    if (!size) return [undefined, 0]
    const length = Number.parseInt(size[1] as string, 16)
    const start = at + size[0].length
    at = start + length + 2
    if (at > text.length) return [undefined, 0]
    if (length === 0) return [body, at]
    body += text.slice(start, start + length)
  }
}

export interface Row extends Case {
  /** The status of Koa's answer, with its type and body where they are worth saying. */
  readonly is: readonly [status: number, type?: string | undefined, body?: string]
  /** Where kolba does otherwise, and on purpose: of the two ways in which a middleware stands in it, or of one. */
  readonly differs?: Named
  readonly differsAsRoute?: Named
}

/** For each row a test that Koa answers as it says, and kolba as Koa does, in `app.use` and as a route's handler. */
export function testBesideKoa(rows: Readonly<Record<string, Row>>): void {
  for (const [title, row] of Object.entries(rows)) test(title, t => besideKoa(t, row))
}

async function besideKoa(t: ExecutionContext, row: Row): Promise<void> {
  const koa = await talk(t, 'koa', row)
  const [status, type, body] = row.is
  const [first] = koa.answers
  t.regex(first?.line ?? '', new RegExp(`^HTTP/1\\.1 ${status} `))
  if (type !== undefined) t.is(headerOf(first, 'content-type'), type)
  if (body !== undefined) t.is(first?.body, body)
  t.deepEqual(await talk(t, 'use', row), expected(t, koa, row.ask, row.differs), 'in app.use')
  const asRoute = row.differsAsRoute ?? row.differs
  t.deepEqual(await talk(t, 'route', row), expected(t, koa, row.ask, asRoute), 'as the handler of a route')
}

/** What kolba has to answer, by what Koa has, and by the table of what is otherwise. */
function expected(t: ExecutionContext, koa: Talk, ask: Ask = {}, named: Named = {}): Talk {
  const talk = DIFFERENCES.requestId.of(koa, true, ask)
  return Object.entries(named).reduce((talk, [name, more]) => {
    const changed = DIFFERENCES[name as keyof typeof DIFFERENCES].of(talk, more as never, ask)
    t.notDeepEqual(changed, talk, `${name} is no difference here`)
    return changed
  }, talk)
}

/** The value of a header; undefined where there is none. */
export function headerOf(seen: Seen | undefined, name: string): string | undefined {
  return seen?.headers.find(it => it.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2)
}

/** Is it the same each time that it is read? */
export function isStable(read: () => unknown): boolean {
  return Object.is(read(), read())
}

export interface Reading {
  readonly ask?: Ask | undefined
  readonly setup?: Case['setup']
  readonly options?: Case['options']
  readonly isProxy?: boolean
  readonly read: (ctx: Koa.Context) => unknown
  readonly is: unknown
  /** What kolba reads, where that is something else on purpose, and why. */
  readonly kolba?: { readonly is: unknown; readonly by: keyof typeof DIFFERENCES }
}

/** For each row a test that what is read of ctx is the same in Koa and in kolba, and what the row says. */
export function testReadings(rows: Readonly<Record<string, Reading>>): void {
  for (const [title, row] of Object.entries(rows)) {
    test(title, async t => {
      for (const way of ['koa', 'use', 'route'] as const) {
        const is = way !== 'koa' && row.kolba ? row.kolba.is : row.is
        t.deepEqual(await readingOf(t, way, row), is, row.kolba ? DIFFERENCES[row.kolba.by].because : way)
      }
    })
  }
}

async function readingOf(
  t: ExecutionContext,
  way: Way,
  { read, is: _is, kolba: _kolba, ...row }: Reading,
): Promise<unknown> {
  const readings: unknown[] = []
  const run = (ctx: Koa.Context) => {
    readings.push(read(ctx))
    ctx.respond = true
    ctx.body = null
  }
  const { errors } = await talk(t, way, { ...row, run })
  t.deepEqual(errors, [])
  t.deepEqual(readings[1], readings[0], 'a second time')
  return readings[0]
}
