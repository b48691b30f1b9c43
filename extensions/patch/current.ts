import { currentReader, type Reading, resourceOf } from '../../src/conditional/index.ts'
import {
  type AroundContext,
  isBytes,
  isResponse,
  nameOf,
  problem,
  Reply,
  type Route,
  readMediaType,
  readPath,
} from '../../src/index.ts'

/** Gives the JSON that a resource is now, as a value that nobody else has. */
export type ReadJson = (ctx: AroundContext) => Promise<unknown>

/** What `load` gives, as JSON. @throws Problem 404 where there is nothing */
export function loaded(where: string, load: (ctx: never) => unknown): ReadJson {
  return async ctx => {
    const value = await load(ctx as never)
    if (value instanceof Error) throw value
    const { status, body } = value instanceof Reply ? value : { status: 200, body: value }
    checkStatus(status, body)
    const text = isBytes(body) ? undefined : toText(body)
    if (text === undefined) throw new TypeError(`${where}: load gives what is no JSON. Return the value itself.`)
    return JSON.parse(text)
  }
}

/** Reads what GET gives, with all that stands on it: what it hides from a client is hidden from the patch as well. */
export function fromGet(where: string): ReadJson {
  const read = currentReader({ passed: [], isPlace: () => false })
  return async ctx => {
    const reading = await read(ctx, { headers: { accept: 'application/json, */*;q=0.1' } })
    if (!reading) throw problem(404)
    const { status, body, type } = answerOf(reading)
    checkStatus(status, body)
    const text = await textOf(body, type)
    if (text !== undefined) return JSON.parse(text)
    // By its URL a client can choose another representation, `/books/7.csv` or `?format=csv`: that is no bug of ours.
    if (ctx.querystring !== '' || resourceOf(ctx.path, ctx) !== resourceOf(ctx.path))
      throw problem(409, {
        detail: 'GET gives no JSON at this URL, so there is nothing to patch. PATCH one where it does.',
      })
    throw new TypeError(`${where} changes JSON, and GET gives none. Put json() on GET, or give patch({ load }).`)
  }
}

/** What GET refuses, PATCH refuses; and where GET has no representation now, there is nothing to apply a patch to. */
function checkStatus(status: number, body: unknown): void {
  if (status >= 400) throw problem(status)
  if (status >= 300) throw problem(409, { detail: `GET answers ${status} here, so there is nothing to patch now.` })
  if (body === undefined || body === null) throw problem(404, { detail: 'There is nothing here to patch.' })
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly type: string
}

/** The answer as it would be sent; one that was put on ctx in Koa's way is one too. */
function answerOf({ value, status, ctx }: Reading): Answer {
  const set = ctx.response.get('Content-Type')
  if (isResponse(value)) return { status: value.status, body: value, type: value.headers.get('content-type') ?? '' }
  if (!(value instanceof Reply)) return { status, body: value === undefined ? ctx.body : value, type: set }
  const name = Object.keys(value.headers).find(name => name.toLowerCase() === 'content-type')
  return { status, body: value.body, type: name ? String(value.headers[name]) : set }
}

/** The JSON text of an answer; undefined where it is none. */
async function textOf(body: unknown, type: string): Promise<string | undefined> {
  const isJson = /^application\/(?:.+\+)?json$/.test(readMediaType(type)?.type ?? '')
  if (typeof body === 'string') return isJson ? body : undefined
  if (body instanceof Uint8Array) return isJson ? new TextDecoder().decode(body) : undefined
  if (isResponse(body)) return isJson ? body.text() : undefined
  return isBytes(body) ? undefined : toText(body)
}

/** What kolba writes for a value without a `json()`. */
function toText(value: unknown): string | undefined {
  return JSON.stringify(value, (_name, it) => (typeof it === 'bigint' ? String(it) : it))
}

/** @throws TypeError where GET has no route at this path yet */
export function checkGet(route: Route): void {
  const { shape } = readPath(nameOf(route), route.path)
  const gets = route.app.routes().filter(({ methods }) => methods.includes('GET'))
  if (gets.some(get => readPath(nameOf(get), get.path).shape === shape)) return
  const { path } = route
  throw new TypeError(
    `${nameOf(route)}: patch() changes what GET ${path} gives, and there is none yet. Register GET ${path} first, or give patch({ load }).`,
  )
}
