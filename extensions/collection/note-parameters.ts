import type { JsonSchema, Note } from '../../src/index.ts'
import { OPERATORS } from './field.ts'
import type { Settings } from './options.ts'
import { selectableOf } from './page.ts'
import type { Whole } from './parts.ts'
import type { Paging, Part, StyleName } from './query.ts'
import type { Resource } from './resource.ts'
import type { Field, Operator } from './types.ts'

type Parameter = NonNullable<Note['parameters']>[number]
type JsonObject = Exclude<JsonSchema, boolean>

const LIST: ReadonlySet<Operator> = new Set(['in', 'nin', 'between'])

/** The query parameters of a collection, in the words of OpenAPI. */
export function parametersOf({ resource, parts }: Pick<Whole, 'resource' | 'parts'>, settings: Settings): Parameter[] {
  const names = NAMES[settings.style]
  const { sortable, search, relations } = resource
  const text = (name: string | undefined, description: string, known: readonly string[]) =>
    name && known.length > 0 ? [parameter(name, `${description} ${known.join(', ')}`, { type: 'string' })] : []
  const all: Record<Part, () => Parameter[]> = {
    filter: () => [
      ...filtersOf(resource, settings.style),
      ...text(names.search, 'Text that one of these contains:', namesOf(search)),
    ],
    sort: () => names.sort.flatMap(name => text(name, 'The order, by', [...sortable])),
    fields: () => text(names.fields, 'Which fields to give, of', namesOf(selectableOf(resource))),
    expand: () => text(names.expand, 'Which relations to give too, of', [...relations.keys()]),
    page: () => pagesOf(settings),
  }
  return (Object.keys(all) as Part[]).flatMap(part => (parts.has(part) ? all[part]() : []))
}

interface Names {
  readonly search?: string
  readonly sort: readonly string[]
  readonly fields?: string
  readonly expand: string
}

const NAMES: Record<StyleName, Names> = {
  default: { search: 'q', sort: ['sort'], fields: 'fields', expand: 'expand' },
  classic: { search: 'q', sort: ['sort'], fields: 'fields', expand: 'expand' },
  jsonapi: { search: 'filter[q]', sort: ['sort'], fields: 'fields', expand: 'include' },
  'react-admin': { sort: ['sort'], expand: 'embed' },
  'json-server': { search: 'q', sort: ['_sort', '_order'], expand: '_expand' },
}

const SUFFIXES: readonly Operator[] = ['ne', 'gte', 'lte', 'gt', 'lt', 'like']

function filtersOf({ fields, filterable, schema }: Resource, style: StyleName): Parameter[] {
  const all = [...fields.values()].filter(({ name }) => filterable.has(name))
  if (all.length === 0) return []
  if (style === 'classic' || style === 'react-admin')
    return [parameter('filter', `Conditions on ${namesOf(all).join(', ')}`, { type: 'string' })]
  const properties = (schema.properties ?? {}) as Record<string, JsonObject>
  return all.flatMap(field => {
    const operators = style === 'json-server' ? SUFFIXES : OPERATORS[field.type]
    const fitting = OPERATORS[field.type].filter(it => it === 'eq' || operators.includes(it))
    return fitting.map(operator =>
      parameter(
        filterName(style, field.name, operator),
        WORDS[operator],
        schemaFor(field, operator, properties[field.name]),
      ),
    )
  })
}

function filterName(style: StyleName, field: string, operator: Operator): string {
  const suffix = operator === 'eq' ? '' : style === 'json-server' ? `_${operator}` : `[${operator}]`
  return style === 'jsonapi' ? `filter[${field}]${suffix}` : `${field}${suffix}`
}

const WORDS: Record<string, string> = {
  eq: 'It is this',
  ne: 'It is not this',
  lt: 'It is less',
  lte: 'It is this or less',
  gt: 'It is more',
  gte: 'It is this or more',
  between: 'It is one of these two or lies between them',
  in: 'It is one of these',
  nin: 'It is none of these',
  null: 'It is null, or not',
  like: 'It is like this, where * is any text',
  contains: 'It contains this',
}

const TYPES = { string: 'string', enum: 'string', number: 'number', boolean: 'boolean' } as const

function schemaFor({ type, values }: Field, operator: Operator, json: JsonObject | undefined): JsonObject {
  if (operator === 'null') return { type: 'boolean' }
  if (LIST.has(operator) || operator === 'like') return { type: 'string' }
  if (type === 'date') return { type: 'string', format: 'date-time' }
  if (values) return { type: 'string', enum: values }
  return json && json.type === TYPES[type as 'string'] ? json : { type: TYPES[type as 'string'] }
}

const SIZES: Record<'default' | 'jsonapi', Record<Paging, readonly string[]>> = {
  default: { page: ['page', 'per_page'], offset: ['offset', 'limit'], cursor: ['cursor', 'limit'] },
  jsonapi: {
    page: ['page[number]', 'page[size]'],
    offset: ['page[offset]', 'page[limit]'],
    cursor: ['page[cursor]', 'page[size]'],
  },
}

function pagesOf({ style, paging, perPage, maxPerPage }: Settings): Parameter[] {
  if (style === 'react-admin')
    return [parameter('range', 'The first and the last row, as in [0,24]', { type: 'string' })]
  const whole = (minimum: number, rest = {}): JsonObject => ({ type: 'integer', minimum, ...rest })
  if (style === 'json-server')
    return [
      parameter('_start', 'How many rows to pass over', whole(0, { default: 0 })),
      parameter('_end', 'Where the page ends, that row not on it', whole(1)),
    ]
  const names = SIZES[style === 'jsonapi' ? 'jsonapi' : 'default']
  const first: Record<Paging, readonly [string, JsonObject]> = {
    page: ['Which page', whole(1, { default: 1 })],
    offset: ['How many rows to pass over', whole(0, { default: 0 })],
    cursor: ['Where to go on, as the links of a page say', { type: 'string' }],
  }
  const size = whole(1, { maximum: maxPerPage, default: perPage })
  const all = paging.flatMap(kind => {
    const [place = '', limit = ''] = names[kind]
    return [parameter(place, ...first[kind]), parameter(limit, 'Rows of a page', size)]
  })
  return [...new Map(all.map(it => [it.name, it])).values()]
}

function parameter(name: string, description: string | undefined, schema: JsonObject): Parameter {
  return { name, in: 'query', required: false, ...(description && { description }), schema }
}

function namesOf(fields: readonly Field[]): string[] {
  return fields.map(({ name }) => name)
}
