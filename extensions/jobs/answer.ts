import { type BaseContext, type Headers, isBytes, isResponse, nameOf, Reply, statusOf } from '../../src/index.ts'
import { fromText, toText } from './stored.ts'

/** What a job came to, as its status resource gives it. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/**
 * They are about one connection (RFC 9110 section 7.6.1), one client's session, one request, or another resource, which
 * the place of a job is: how long it may be kept and what its versions are, that place says itself.
 */
const NEVER =
  /^(?:x-request-id|date|age|set-cookie|content-length|connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*|preference-applied|etag|last-modified|expires|pragma)$/

/**
 * What a handler has given: a value, a reply, a web `Response`, or what stands on ctx in Koa's way. Nothing at all is
 * 204, for a job may have nothing to say.
 *
 * @throws an error that was returned
 */
export async function answerOf(ctx: BaseContext, value: unknown): Promise<Answer> {
  const given = value instanceof Reply || isResponse(value) ? value : new Reply(statusOf(ctx), value ?? ctx.body)
  const answer = await plainAnswer(given)
  return { ...answer, headers: placed(ctx, { ...setOn(ctx), ...answer.headers }) }
}

/** The same for a handler that has no ctx of Koa's. */
export async function plainAnswer(value: unknown): Promise<Answer> {
  if (isResponse(value)) return fromResponse(value)
  const { status, headers, body } = value instanceof Reply ? value : new Reply(200, value)
  // What is returned and not thrown must not be kept as a success that shows what is in it.
  if (value instanceof Error) throw value
  if (body instanceof Error) throw body
  const isEmpty = body === undefined || body === null
  // Koa makes 204 of nothing where nobody has said another status; a reply's own stays.
  return { status: isEmpty && status === 200 ? 204 : status, headers, body: isEmpty ? null : body }
}

/**
 * An answer as text, for a store.
 *
 * @throws TypeError, which no repetition mends, for what cannot be stored
 */
export function answerText(where: string, { status, headers, body }: Answer): string {
  try {
    return toText({ status, headers: kept(headers), body: plain(body) }, 'the result')
  } catch (error) {
    const what = `${where}: ${(error as Error).message}, which cannot be stored`
    throw Object.assign(new TypeError(`${what}. Write it where it can be fetched, and return its URL.`), {
      retry: false,
    })
  }
}

/** What is neither text nor bytes is what JSON makes of it, as it would be in an answer. */
function plain(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || isBytes(body)) return body
  const text: string | undefined = JSON.stringify(body)
  if (text === undefined) throw new TypeError('the result is nothing in JSON')
  return JSON.parse(text)
}

export function readAnswer(text: string): Answer {
  return fromText(text) as Answer
}

/** The value of a header, whatever its case. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return value === undefined ? undefined : `${value}`
}

export function whereOf({ route }: BaseContext): string {
  return route ? nameOf(route) : 'a job'
}

async function fromResponse(response: Response): Promise<Answer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const headers = Object.fromEntries(response.headers)
  // What `fetch` gave has been decoded by it.
  if (response.url !== '') delete headers['content-encoding']
  const isText = /^(?:text\/|application\/(?:[\w.+-]+\+)?json\b)/i.test(headers['content-type'] ?? '')
  const body = bytes.length === 0 ? null : isText ? bytes.toString() : bytes
  return { status: response.status, headers, body }
}

function setOn({ res }: BaseContext): Headers {
  const all = Object.entries(res.getHeaders()).map(([name, value]) => [name, [value].flat().map(String)] as const)
  return Object.fromEntries(all.map(([name, lines]) => [name, lines.length === 1 ? `${lines[0]}` : lines]))
}

/** A Location that is relative is so to the request, and is read at another place. */
function placed({ url }: BaseContext, headers: Headers): Headers {
  const its = Object.entries(headers).map(([name, value]) => {
    if (name.toLowerCase() !== 'location' || /^(?:\/|[a-z][\w+.-]*:)/i.test(`${value}`)) return [name, value] as const
    const { pathname, search, hash } = new URL(`${value}`, new URL(url, 'http://localhost'))
    return [name, `${pathname}${search}${hash}`] as const
  })
  return Object.fromEntries(its)
}

function kept(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NEVER.test(name.toLowerCase())))
}
