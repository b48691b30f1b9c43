import { AsyncLocalStorage } from 'node:async_hooks'
import type Koa from 'koa'
import { checkOptions, type Kind, kinds } from './check.ts'
import { isAddressRange } from './proxy.ts'

/** A logger in the manner of pino: an object of fields, then a message. `console` by default. */
export interface Logger {
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** Timeouts of the server, in seconds. */
export interface Timeouts {
  /** For all headers of a request to arrive. @default 10 */
  headers: number
  /** For a whole request to arrive. @default 30 */
  request: number
  /** For the next request on an idle connection. @default 5 */
  keepAlive: number
  /** For a handler and its decorators, then 503, and `ctx.signal` aborts. @default 30 */
  handler: number
  /** For something to move on the connection of an answer that is not sent at once; send comments in an event stream. @default 30 */
  stream: number
  /** For requests under way to end when the app closes. @default 10 */
  drain: number
}

/** Limits of the server. */
export interface Limits {
  /** Bytes of all headers and the request line, else 431. @default 16384 */
  headerBytes: number
  /** Header fields, else 431. @default 100 */
  headers: number
  /** Bytes of the URL, else 414. @default 8192 */
  url: number
  /** Bytes of a request body, counted while reading and after inflation, else 413. @default 1048576 */
  body: number
}

export interface KolbaOptions {
  /** Shows message and stack of an error to the client, as a page where it is a browser. Never in production. @default false */
  debug?: boolean
  /** The proxies in front of the app, as addresses or CIDR ranges; of these alone are X-Forwarded headers believed. @default [] */
  proxy?: readonly string[]
  /** The only hosts to answer for, with their port where it is not the default one, else 421. @default any */
  hosts?: readonly string[]
  /** Where errors are logged, and requests by `requestLog()`. @default console */
  logger?: Logger
  /** In seconds. */
  timeouts?: Partial<Timeouts>
  limits?: Partial<Limits>
  /** May SIGTERM and SIGINT close the app and end the process, once it listens? @default true */
  signals?: boolean
  /** Koa's: `app.currentContext` gives the ctx anywhere in a call, as does a storage that is given. It costs time in each request. @default false */
  asyncLocalStorage?: boolean | AsyncLocalStorage<Koa.DefaultContext>
  /** Koa's: keys to sign cookies with. */
  keys?: string[]
  /** Koa's: the environment. @default NODE_ENV or 'development' */
  env?: string
  /** Koa's: how many labels of the host are not subdomains. @default 2 */
  subdomainOffset?: number
}

/** The options with their defaults. */
export interface Settings {
  readonly debug: boolean
  readonly proxy: readonly string[]
  readonly hosts: readonly string[] | undefined
  readonly signals: boolean
  readonly timeouts: Readonly<Timeouts>
  readonly limits: Readonly<Limits>
}

const TIMEOUTS: Timeouts = { headers: 10, request: 30, keepAlive: 5, handler: 30, stream: 30, drain: 10 }
const LIMITS: Limits = { headerBytes: 16_384, headers: 100, url: 8_192, body: 1_048_576 }

const ranges: Kind = {
  words: "a list of addresses or CIDR ranges, ['10.0.0.0/8']; to believe every client is not offered",
  test: value => Array.isArray(value) && value.every(isAddressRange),
}
const storage: Kind = {
  words: 'true or false, or an AsyncLocalStorage',
  test: value => typeof value === 'boolean' || value instanceof AsyncLocalStorage,
}
const OPTIONS: Record<string, Kind> = {
  debug: kinds.flag,
  proxy: ranges,
  hosts: kinds.texts,
  logger: kinds.logger,
  timeouts: kinds.object,
  limits: kinds.object,
  signals: kinds.flag,
  asyncLocalStorage: storage,
  keys: kinds.texts,
  env: kinds.text,
  subdomainOffset: kinds.count,
}

/** @throws TypeError for an option that is unknown or of a wrong kind. */
export function readOptions(options: KolbaOptions): Settings {
  checkOptions('kolba', options, OPTIONS)
  checkOptions('kolba timeouts', options.timeouts, all(TIMEOUTS, kinds.seconds))
  checkOptions('kolba limits', options.limits, all(LIMITS, kinds.bytes))
  const { debug = false, signals = true, proxy = [], env = process.env.NODE_ENV } = options
  if (debug && env === 'production')
    throw new TypeError('kolba: debug shows stacks to clients. Leave it out in production.')
  return {
    debug,
    signals,
    proxy,
    hosts: options.hosts?.map(host => host.toLowerCase()),
    timeouts: { ...TIMEOUTS, ...given(options.timeouts) },
    limits: { ...LIMITS, ...given(options.limits) },
  }
}

/** An option that is undefined must not take a default away, and a limit with it. */
function given<T extends object>(options: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}

function all(defaults: object, kind: Kind): Record<string, Kind> {
  return Object.fromEntries(Object.keys(defaults).map(name => [name, kind]))
}

/** Errors as a stack to be read, the rest as a line of JSON. */
export const plainLogger: Logger = {
  info: (fields, message) => console.log(text('info', fields, message)),
  warn: (fields, message) => console.warn(text('warn', fields, message)),
  error: (fields, message) => console.error(text('error', fields, message)),
}

function text(level: string, fields: { err?: Error }, message?: string): string {
  const { err, ...rest } = fields
  const line = JSON.stringify({ time: new Date().toISOString(), level, ...rest, message })
  return err ? `${line}\n${traceOf(err)}` : line
}

/** The stack of an error and of what caused it, as far as the causes are errors, and each once. */
function traceOf(error: Error): string {
  const chain = new Set<Error>()
  for (let it: unknown = error; it instanceof Error && !chain.has(it); it = it.cause) chain.add(it)
  return [...chain].map(({ stack }) => stack).join('\nCaused by: ')
}
