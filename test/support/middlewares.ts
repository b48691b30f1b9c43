// A middleware of Koa in front of the same routes in two apps: in a plain Koa with @koa/router, and in kolba.
import { once } from 'node:events'
import http, { type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import Router from '@koa/router'
import type { ExecutionContext } from 'ava'
import Koa from 'koa'
import { type Kolba, type KolbaOptions, kolba } from 'kolba'
import { MemoryLogger } from './memory-logger.ts'
import { packagesOf } from './packages.ts'

/** A test with packages of test/interop/middleware. */
export const testMiddleware = packagesOf('middleware')

/** What most of the packages export. */
export type Make = (...options: unknown[]) => Koa.Middleware

type Verb = 'get' | 'post'

/** Handlers by `get /books`: in kolba they return a value, and in Koa that is the body. */
export type Routes = Readonly<Record<`${Verb} /${string}`, (ctx: Koa.Context) => unknown>>

export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

type Call = (path: string, ask?: Ask) => Promise<Answer>

export interface Two {
  /** Of each app by itself. */
  readonly koa: Call
  readonly ours: Call
  /** Asks both, and sees to it that they answer alike, but for headers that are never the same. */
  readonly both: (path: string, ask?: Ask, except?: readonly string[]) => Promise<Answer>
  /** Of kolba. */
  readonly app: Kolba
}

/** Makes the two apps. `use` is called for each, and puts the middleware there, as its own README has it. */
export async function inFrontOf(
  t: ExecutionContext,
  routes: Routes,
  use: (app: Koa) => void,
  options: Pick<KolbaOptions, 'keys'> = {},
): Promise<Two> {
  const plain = new Koa(options)
  plain.silent = true
  use(plain)
  plain.use(routerOf(routes).routes())
  const app = kolba({ logger: new MemoryLogger(), signals: false, ...options })
  use(app)
  for (const [name, handler] of Object.entries(routes)) {
    const [verb, path] = name.split(' ') as [Verb, string]
    app[verb](path as '/', handler as never)
  }
  const koa = await callOf(t, plain)
  const ours = await callOf(t, app)
  const both: Two['both'] = async (path, ask, except = []) => {
    const [theirs, answer] = [await koa(path, ask), await ours(path, ask)]
    t.regex(String(answer.headers['x-request-id']), /^[\w-]{12}$/)
    t.deepEqual(comparable(answer, except), comparable(theirs, except))
    return answer
  }
  return { koa, ours, both, app }
}

function routerOf(routes: Routes): Router {
  const router = new Router()
  for (const [name, handler] of Object.entries(routes)) {
    const [verb, path] = name.split(' ') as [Verb, string]
    router[verb](path, async (ctx: Koa.Context) => {
      const value = await handler(ctx)
      if (value !== undefined) ctx.body = value
    })
  }
  return router
}

function comparable({ status, headers, text }: Answer, except: readonly string[]): object {
  const left = ['date', 'keep-alive', 'x-request-id', ...except]
  return { status, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !left.includes(name))), text }
}

/** Starts an app until the test ends. Not by fetch(), which has caching and cookies of its own. */
async function callOf(t: ExecutionContext, app: Koa): Promise<Call> {
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return async (path, { method = 'GET', headers = {}, body } = {}) => {
    const request = http.request({
      port,
      host: '127.0.0.1',
      path,
      method,
      headers: { host: 'example.com', ...headers },
    })
    request.end(body)
    const [response] = await once(request, 'response')
    const bytes = await buffer(response)
    return { status: response.statusCode, headers: response.headers, bytes, text: bytes.toString() }
  }
}
