import { type LanguageOptions, type Query, queryReader } from '../../extensions/collection/query.ts'
import { type Resource, relation, resource } from '../../extensions/collection/resource.ts'
import { json } from '../../extensions/json.ts'
import { prefer } from '../../extensions/prefer.ts'
import { type BaseContext, type Kolba, kolba, when } from '../../src/index.ts'
import { MemoryLogger } from './memory-logger.ts'

// A resource, and an app that answers with what it has understood of a query. All of it comes from the sources and not
// from the package, because the two would not know each other's errors.

export const load = () => []
const continents = resource({ fields: { id: 'number', name: 'string' } })
const countries = resource({
  fields: { id: 'number', name: 'string' },
  expand: { continent: relation({ from: 'continent_id', resource: continents, load }) },
})
export const people = resource({
  fields: {
    id: 'number',
    name: 'string',
    age: 'number',
    status: ['new', 'old'],
    created: 'date',
    active: 'boolean',
    secret: { type: 'string', filter: false, sort: false, select: false },
  },
  sort: '-created',
  search: ['name'],
  expand: {
    country: relation({ from: 'country_id', resource: countries, load }),
    friends: relation({ to: 'friend_id', many: true, resource: (): Resource => people, load }),
  },
})

export interface Plain {
  where?: unknown[]
  q?: string
  order?: string
  isOrdered?: boolean
  fields?: string[]
  expand?: string[]
  page?: object
  ignored?: readonly string[]
}

/** A query as data, without what is as usual. */
export function plain({ filter, order, isOrdered, fields, expand, page, ignored }: Query): Plain {
  const names = order.map(({ field, descending }) => `${descending ? '-' : ''}${field.name}`).join()
  const isUsual = JSON.stringify(page) === '{"kind":"page","page":1,"perPage":20}'
  return {
    ...(filter.where.length > 0 && {
      where: filter.where.map(({ field, operator, values }) => [field.name, operator, ...values]),
    }),
    ...(filter.search && { q: filter.search.text }),
    ...((isOrdered || names !== '-created,id') && { order: names }),
    ...(fields && { fields: fields.map(({ name }) => name) }),
    ...(expand.length > 0 && { expand: expand.map(path => path.join('.')) }),
    ...(!isUsual && { page }),
    ...(ignored.length > 0 && { ignored }),
  }
}

export function appOf(options?: LanguageOptions, its: Resource = people): Kolba {
  const app = kolba({ logger: new MemoryLogger(), limits: { url: 32_768, headers: 65_536 } as never })
  const read = queryReader(its, options)
  const answer = (ctx: BaseContext) => when(read(ctx), plain)
  app.get('/', prefer(), json(), answer)
  app.query('/', prefer(), json(), answer)
  return app
}

export interface Answer {
  status: number
  body: Plain & { detail?: string; errors?: { parameter?: string; pointer?: string; detail: string }[] }
  headers: Headers
}

/** Asks in the URL. */
export async function ask(app: Kolba, query: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await app.client().get(`/?${query}`, { headers })
  return { status: response.status, body: (await response.json()) as Answer['body'], headers: response.headers }
}

/** Asks by QUERY. */
export async function send(app: Kolba, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await app.client().query('/', { json: body, headers })
  return { status: response.status, body: (await response.json()) as Answer['body'], headers: response.headers }
}
