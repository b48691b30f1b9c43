import type { JsonSchema, Note, ResponseNote } from '../../src/index.ts'
import { parametersOf } from './note-parameters.ts'
import type { Settings } from './options.ts'
import type { Whole } from './parts.ts'
import type { Resource } from './resource.ts'

type JsonObject = Exclude<JsonSchema, boolean>

const text = { type: 'string' }
const whole = { type: 'integer' }
const texts = { type: 'array', items: text }

/** What a collection does to the interface: every parameter, the page, its headers. */
export function noteOf({ resource, parts }: Whole, settings: Settings, methods: readonly string[]): Note {
  const isPaged = parts.has('page')
  const hasQuery = methods.includes('QUERY')
  const isAlone = hasQuery && methods.length === 1
  const found: ResponseNote = {
    description: 'The rows that were asked for',
    headers: isPaged ? headersOf(settings, isAlone) : {},
    content: { 'application/json': { schema: bodyOf(resource, settings, isPaged, isAlone ? 'queries' : 'links') } },
  }
  return {
    ...(!isAlone && { parameters: parametersOf({ resource, parts }, settings) }),
    ...(hasQuery && { requestBody: { content: { 'application/json': { schema: contentOf(resource, settings) } } } }),
    responses: {
      200: found,
      400: { description: 'A parameter is unknown or malformed' },
      ...(isPaged && { 404: { description: 'There is no such page' } }),
    },
  }
}

function headersOf({ totalHeader, unit }: Settings, isAlone: boolean): NonNullable<ResponseNote['headers']> {
  return {
    ...(!isAlone && { Link: { description: 'The pages around this one, RFC 8288', schema: text } }),
    ...(totalHeader && { 'X-Total-Count': { description: 'How many rows there are', schema: whole } }),
    ...(unit && { 'Content-Range': { description: 'Which rows of all these are', schema: text } }),
  }
}

/** The body of a page. */
function bodyOf({ schema }: Resource, { name, paging }: Settings, isPaged: boolean, around: string): JsonObject {
  const items = { type: 'array', items: schema }
  if (!isPaged || name === false) return items
  const meta = {
    ...(paging.includes('page') && { page: whole, per_page: whole, pages: whole }),
    ...(paging.includes('offset') && { offset: whole }),
    ...((paging.includes('offset') || paging.includes('cursor')) && { limit: whole }),
    total: whole,
    estimated: { type: 'boolean' },
  }
  const page = around === 'links' ? text : { type: 'object' }
  const links = { ...(around === 'links' && { self: page }), first: page, prev: page, next: page, last: page }
  const properties = {
    [name]: items,
    meta: { type: 'object', properties: meta },
    [around]: { type: 'object', properties: links },
  }
  return { type: 'object', properties, required: Object.keys(properties) }
}

/** The content of a QUERY, as far as JSON Schema says it shortly: `language/body.ts` has the whole. */
function contentOf({ fields, filterable, search }: Resource, { paging, maxPerPage }: Settings): JsonObject {
  const names = [...fields.keys()].filter(name => filterable.has(name))
  const size = { type: 'integer', minimum: 1, maximum: maxPerPage }
  return {
    type: 'object',
    properties: {
      filter: { type: 'object', properties: Object.fromEntries(names.map(name => [name, {}])) },
      ...(search.length > 0 && { q: text }),
      sort: { anyOf: [text, texts] },
      fields: { anyOf: [text, texts] },
      expand: { anyOf: [text, texts] },
      ...(paging.includes('page') && { page: { type: 'integer', minimum: 1 }, per_page: size }),
      ...(paging.includes('offset') && { offset: { type: 'integer', minimum: 0 }, limit: size }),
      ...(paging.includes('cursor') && { cursor: text, limit: size }),
    },
    additionalProperties: false,
  }
}
