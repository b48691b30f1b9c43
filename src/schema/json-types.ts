import type { JsonSchema } from '../route.ts'
import { alternatives, type JsonObject, together } from './json-schema.ts'
import type { Refs } from './references.ts'

/** The keyword by which a schema of text says that its library wants a Date there. */
export const DATE = { 'x-type': 'Date' }

/** `string`, `word:x` for one string, `number`, `integer`, `boolean`, `array`, `object`, `null`, `date`. */
export type Types = ReadonlySet<string>

/** The types that a schema takes, or undefined where it takes any. */
export function typesOf(schema: JsonSchema, refs: Refs, seen: readonly JsonSchema[] = []): Types | undefined {
  // An alternative that leads back to itself adds nothing.
  if (seen.includes(schema)) return new Set()
  const facets = together(schema, refs)
  const some = alternatives(facets).map(list => join(list.map(it => typesOf(it, refs, [...seen, schema]))))
  return [...facets.flatMap(said), ...some].reduce(meet, undefined)
}

/** What the keywords of one schema say of its type. */
function said(schema: JsonObject): Types[] {
  const { type, enum: values } = schema
  const all: Types[] = []
  if (type !== undefined) all.push(new Set(Array.isArray(type) ? type : [type]))
  if (Array.isArray(values)) all.push(new Set(values.map(typeOfValue)))
  if ('const' in schema) all.push(new Set([typeOfValue(schema.const)]))
  if (schema['x-type'] === DATE['x-type']) all.push(new Set(['date']))
  return all
}

function typeOfValue(value: unknown): string {
  if (typeof value === 'string') return `word:${value}`
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

function join(all: readonly (Types | undefined)[]): Types | undefined {
  const known = all.filter(types => types !== undefined)
  return known.length < all.length ? undefined : new Set(known.flatMap(types => [...types]))
}

function meet(one: Types | undefined, other: Types | undefined): Types | undefined {
  if (!one || !other) return one ?? other
  const has = (types: Types, type: string) => types.has(type) || types.has(generalOf(type))
  return new Set([...[...one].filter(type => has(other, type)), ...[...other].filter(type => has(one, type))])
}

function generalOf(type: string): string {
  if (type === 'date' || type.startsWith('word:')) return 'string'
  return type === 'integer' ? 'number' : type
}
