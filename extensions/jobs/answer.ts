import { type BaseContext, type Headers, isBytes, nameOf, Reply, statusOf } from '../../src/index.ts'
import { fromText, toText } from './stored.ts'

/** What a job came to, as its status resource gives it. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** They are about one connection (RFC 9110 section 7.6.1), about one client's session, or are made anew. */
const NEVER =
  /^(?:x-request-id|date|age|set-cookie|content-length|connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*)$/

/**
 * What a handler has given, as text: a value, a reply, a web `Response`, or what stands on ctx in Koa's way. Nothing at
 * all is 204, for a job may have nothing to say.
 *
 * @throws TypeError, which no repetition mends, for what cannot be stored
 */
export async function resultText(ctx: BaseContext, value: unknown): Promise<string> {
  const { status, headers, body } = await answerOf(ctx, value)
  return textOf(ctx.route ? nameOf(ctx.route) : 'a job', { status, headers: { ...setOn(ctx), ...kept(headers) }, body })
}

/** What a handler that has no ctx of Koa's has given. */
export async function plainText(task: string, value: unknown): Promise<string> {
  const { status, headers, body } =
    value instanceof Reply ? value : new Reply(value === undefined || value === null ? 204 : 200, value)
  if (body instanceof Error) throw body
  return textOf(task, { status, headers, body: body ?? null })
}

function textOf(where: string, { body, ...rest }: Answer): string {
  try {
    return toText({ ...rest, body: plain(body) }, 'the result')
  } catch (error) {
    const what = `${where}: ${(error as Error).message}, which cannot be stored`
    throw Object.assign(new TypeError(`${what}. Write it where it can be fetched, and return its URL.`), {
      retry: false,
    })
  }
}

/** What is not plain data is what JSON makes of it, as it would be in an answer. */
function plain(body: unknown): unknown {
  if (isBytes(body) || typeof body !== 'object') return body
  try {
    toText(body, '')
    return body
  } catch {
    return JSON.parse(JSON.stringify(body))
  }
}

export function readAnswer(text: string): Answer {
  return fromText(text) as Answer
}

export function toReply({ status, headers, body }: Answer): Reply {
  return new Reply(status, body, headers)
}

/** The value of a header, whatever its case. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return value === undefined ? undefined : `${value}`
}

async function answerOf(ctx: BaseContext, value: unknown): Promise<Answer> {
  if (value instanceof Response) return fromResponse(value)
  const { status, headers, body } = value instanceof Reply ? value : new Reply(statusOf(ctx), value ?? ctx.body)
  // As in a request, a problem that is returned is the same as one that is thrown.
  if (body instanceof Error) throw body
  const isEmpty = body === undefined || body === null
  // Koa makes 204 of nothing where nobody has said another status; a reply's own stays.
  return { status: isEmpty && status === 200 ? 204 : status, headers, body: isEmpty ? null : body }
}

async function fromResponse(response: Response): Promise<Answer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const isText = /^(?:text\/|application\/(?:[\w.+-]+\+)?json\b)/i.test(response.headers.get('Content-Type') ?? '')
  const body = bytes.length === 0 ? null : isText ? bytes.toString() : bytes
  return { status: response.status, headers: Object.fromEntries(response.headers), body }
}

function setOn({ res }: BaseContext): Headers {
  const all = Object.entries(res.getHeaders()).map(([name, value]) => [name, [value].flat().map(String)] as const)
  return kept(Object.fromEntries(all.map(([name, lines]) => [name, lines.length === 1 ? `${lines[0]}` : lines])))
}

function kept(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NEVER.test(name.toLowerCase())))
}
