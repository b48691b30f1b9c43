import { type BaseContext, type Headers, isResponse, Reply } from '../../src/index.ts'
import { textOf } from './answer.ts'
import { type Directives, parse } from './directives.ts'

/** A header with its name as it was set. */
type Field = readonly [name: string, value: Value]

type Value = number | string | readonly string[]

/** Headers of an answer by their names in lower case. */
export type Fields = Map<string, Field>

/** Headers on ctx as they were before anything below has set some. */
export type Before = Readonly<Record<string, Value | undefined>>

/** They are about one request, one connection (RFC 9110 section 7.6.1), or the body. */
const NEVER = new RegExp(
  '^(?:x-request-id|date|age|server-timing|retry-after|set-cookie|content-length|connection|keep-alive|te|trailer' +
    '|transfer-encoding|upgrade|proxy-.*|(?:x-)?ratelimit.*)$',
)

/** They are made anew with the body. */
const OF_THE_BODY = new Set(['content-length', 'transfer-encoding', 'trailer'])

/** What is listed by several on the way: the core adds a reply's part of it to what stands on ctx. */
const SHARED = new Set(['vary', 'link'])

/** All headers of the answer as it would go out by now. */
export function fieldsOf({ res }: BaseContext, value: unknown): Fields {
  const fields: Fields = new Map()
  for (const [name, text] of Object.entries(res.getHeaders())) fields.set(name, [cased(name), text ?? ''])
  const own = value instanceof Reply ? Object.entries(value.headers) : isResponse(value) ? value.headers : []
  for (const [name, text] of own) {
    const key = name.toLowerCase()
    const above = SHARED.has(key) ? linesOf(fields.get(key)?.[1]) : []
    fields.set(key, [name, above.length > 0 ? [...above, ...linesOf(text)] : text])
  }
  return fields
}

/** Node tells the names on ctx in lower case. */
function cased(name: string): string {
  return name === 'etag' ? 'ETag' : name.replace(/(?<![^-])[a-z]/g, letter => letter.toUpperCase())
}

/** Those that are kept: about the answer, and set below. Vary is added to what stands on ctx, and so not among them. */
export function keepable(all: Fields, before: Before): Fields {
  const kept = [...all].filter(([name]) => name !== 'vary' && !NEVER.test(name) && isNew(all, name, before))
  return new Map(
    kept.map(([key, [name, value]]) => [key, [name, key === 'link' ? without(value, before.link) : value]]),
  )
}

function without(value: Value, others: Value | undefined): Value {
  const there = linesOf(others)
  return linesOf(value).filter(line => !there.includes(line))
}

function linesOf(value: Value | undefined): string[] {
  return value === undefined ? [] : [value].flat().map(String)
}

/** Has it been set below? */
export function isNew(all: Fields, name: string, before: Before): boolean {
  const is = all.get(name)?.[1]
  const was = before[name]
  return is !== undefined && (was === undefined || textOf(was) !== textOf(is))
}

/** Makes the headers on ctx what they were before. */
export function putBack({ res }: BaseContext, fields: Fields, before: Before): void {
  for (const name of fields.keys()) {
    const was = before[name]
    if (was === undefined) res.removeHeader(name)
    else res.setHeader(name, was as string)
  }
}

export function toHeaders(fields: Fields): Headers {
  return Object.freeze(Object.fromEntries([...fields.values()].map(([name, value]) => [name, written(value)])))
}

/** Says on ctx what a reply has of its own request alone, such as `Server-Timing`: the one that is kept does not have it. */
export function sayOnce(ctx: BaseContext, value: unknown): void {
  if (!(value instanceof Reply)) return
  for (const [name, text] of Object.entries(value.headers)) {
    const key = name.toLowerCase()
    if (NEVER.test(key) && !OF_THE_BODY.has(key)) ctx.set(name, text as string)
  }
}

/** One line as text, which the core writes in one go with the rest. */
function written(value: Value): string | readonly string[] {
  return typeof value !== 'object' ? String(value) : value.length === 1 ? (value[0] as string) : value
}

export function fieldOf(fields: Fields, name: string): string | undefined {
  const field = fields.get(name)
  return field && textOf(field[1])
}

export function directivesIn(fields: Fields): Directives {
  return parse(fieldOf(fields, 'cache-control') ?? '')
}

/** The names in Vary, those from above included: what is below may depend on them too. */
export function namesIn(fields: Fields): readonly string[] {
  return (
    fieldOf(fields, 'vary')
      ?.split(/[\s,]+/)
      .filter(Boolean) ?? []
  )
}
