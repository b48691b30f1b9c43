import type Koa from 'koa'

type Query = Record<string, string | string[]>
type Caching = Koa.Request & { [cache]?: { text: string; query: Query } }

const cache = Symbol('query')

/**
 * Makes Koa's `ctx.query` an object without a prototype, so that no name means anything in it, and reads it in one pass:
 * Koa's looks through all parameters once for each.
 */
export function readQueries(request: Koa.BaseRequest): void {
  const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(request), 'query') as PropertyDescriptor
  const get = function query(this: Caching): Query {
    const text = this.querystring
    if (this[cache]?.text !== text) this[cache] = { text, query: parse(text) }
    return this[cache].query
  }
  Object.defineProperty(request, 'query', { get, ...(set && { set }), configurable: true })
}

function parse(text: string): Query {
  const query: Query = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) {
    const before = query[name]
    if (before === undefined) query[name] = value
    else if (Array.isArray(before)) before.push(value)
    else query[name] = [before, value]
  }
  return query
}
