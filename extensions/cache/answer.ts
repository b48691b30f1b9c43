import { type BaseContext, headerOn, isResponse, Reply, statusOf } from '../../src/index.ts'

/** The methods whose answers caches keep: RFC 9110 section 9.2.3, and RFC 10008. */
export const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY'])

/** The status that a value from below goes out with. Of a Koa middleware there is no value, and all stands on ctx. */
export function statusFor(ctx: BaseContext, value: unknown): number {
  if (value instanceof Reply || isResponse(value)) return value.status
  return value === undefined ? ctx.status : statusOf(ctx)
}

/** A header of the answer: that of a reply or a Response counts before that on ctx. */
export function headerOf(ctx: BaseContext, value: unknown, name: string): string | undefined {
  const text = ownHeader(value, name) ?? headerOn(ctx, name)
  return text === undefined ? undefined : textOf(text)
}

/** The value with a header set, on ctx, or on itself where it has that header and would put its own in the place. */
export function withHeader(ctx: BaseContext, value: unknown, name: string, text: string): unknown {
  if (ownHeader(value, name) === undefined) {
    ctx.set(name, text)
    return value
  }
  if (isResponse(value)) {
    // What fetch gave cannot be changed; by its URL the core knows where it is from.
    const copy = Object.defineProperty(new Response(value.body, value), 'url', { value: value.url })
    copy.headers.set(name, text)
    return copy
  }
  const { status, body, headers, source } = value as Reply
  const others = Object.entries(headers).filter(([its]) => its.toLowerCase() !== name.toLowerCase())
  return new Reply(status, body, { ...Object.fromEntries(others), [name]: text }, source)
}

export function textOf(value: number | string | readonly string[]): string {
  return typeof value === 'object' ? value.join(', ') : String(value)
}

function ownHeader(value: unknown, name: string): string | readonly string[] | undefined {
  if (!(value instanceof Reply)) return isResponse(value) ? (value.headers.get(name) ?? undefined) : undefined
  for (const its of Object.keys(value.headers))
    if (its.length === name.length && its.toLowerCase() === name.toLowerCase()) return value.headers[its]
  return undefined
}
