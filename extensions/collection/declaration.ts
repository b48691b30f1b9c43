import type { StandardSchemaV1 } from '@standard-schema/spec'
import { among, checkOptions, type Kind, kinds } from '../../src/index.ts'
import {
  alternatives,
  childOf,
  declaredNames,
  embedded,
  isStandardSchema,
  type JsonObject,
  jsonSchemasOf,
  propertyOf,
  type Refs,
  readRefs,
  together,
  typesOf,
} from '../../src/schema/index.ts'
import type { Field, FieldType } from './types.ts'

/** A field in full. */
export interface FieldOptions {
  type: 'string' | 'number' | 'boolean' | 'date' | 'enum'
  /** Those of an enum. */
  values?: readonly string[]
  /** As the source names it: a property of the row, or a column, `invoice.total` where the query joins. @default the name */
  column?: string
  /** How a source without dates has them. @default a Date, or ISO 8601 text in SQLite */
  stored?: 'text' | 'seconds' | 'milliseconds'
  /**
   * 'binary' sorts and compares text by code point and a date by its milliseconds in every source; 'database' as the
   * database does, which an index on the column serves. @default 'binary'
   */
  collation?: 'binary' | 'database'
  /** May clients filter by it? By asking again and again they find out what they may not see. @default what `select` says */
  filter?: boolean
  /** May they sort by it? @default what `select` says */
  sort?: boolean
  /** May they see it? @default true */
  select?: boolean
}

/** A field: its type, a list of the few texts it may be, all of it as an object, or a schema. */
export type FieldDeclaration =
  | 'string'
  | 'number'
  | 'boolean'
  | 'date'
  | readonly string[]
  | FieldOptions
  | StandardSchemaV1

/** A field as declared, with what is said of it beside. */
export interface Declared {
  readonly field: Field
  readonly mayFilter: boolean
  readonly maySort: boolean
  readonly maySelect: boolean
  readonly json: JsonObject
}

const TYPES = ['string', 'number', 'boolean', 'date', 'enum'] as const
const JSON_TYPES: Record<(typeof TYPES)[number], JsonObject> = {
  string: { type: ['string', 'null'] },
  number: { type: ['number', 'null'] },
  boolean: { type: ['boolean', 'null'] },
  date: { type: ['string', 'null'], format: 'date-time' },
  enum: {},
}
const words: Kind = {
  words: 'a list of different strings, at least one',
  test: value =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(it => typeof it === 'string') &&
    new Set(value).size === value.length,
}
const OPTIONS: Record<string, Kind> = {
  type: among(...TYPES),
  values: words,
  column: kinds.text,
  stored: among('text', 'seconds', 'milliseconds'),
  collation: among('binary', 'database'),
  filter: kinds.flag,
  sort: kinds.flag,
  select: kinds.flag,
}

/** All that is declared. */
export interface Declarations {
  readonly all: readonly Declared[]
  /** What the JSON Schemas of the fields refer to. */
  readonly definitions?: unknown
}

/**
 * All fields of a declaration.
 *
 * @throws TypeError for what declares nothing
 */
export function readDeclarations(fields: unknown): Declarations {
  if (isStandardSchema(fields)) return fromObjectSchema(fields)
  if (!kinds.object.test(fields) || Array.isArray(fields))
    throw new TypeError("resource: the fields are no object. Give { id: 'number', name: 'string' } or a schema.")
  return { all: Object.entries(fields as object).flatMap(([name, given]) => readDeclaration(name, given)) }
}

function readDeclaration(name: string, given: FieldDeclaration): Declared[] {
  if (isStandardSchema(given)) {
    const json = jsonSchemasOf(given).output ?? {}
    return fromJson(name, embedded(json), readRefs(`resource: the field ${name}`, json), json)
  }
  const options = typeof given === 'string' ? { type: given } : Array.isArray(given) ? enumOf(given) : given
  const where = `resource: the field ${name}`
  checkOptions(where, options ?? null, OPTIONS)
  const { type, values, column = name, stored, collation = 'binary' } = options as FieldOptions
  if (type === undefined) throw new TypeError(`${where} has no type. Give one of ${TYPES.join(', ')}, or a schema.`)
  if ((type === 'enum') !== (values !== undefined))
    throw new TypeError(`${where} is of type ${type}, and an enum is what has values. Give both or neither.`)
  if (stored && type !== 'date') throw new TypeError(`${where} is of type ${type}, and stored is said of a date.`)
  const { select = true, filter = select, sort = select } = options as FieldOptions
  const json = values ? { enum: [...values, null] } : JSON_TYPES[type]
  const field = { name, type, values, column, stored, collation }
  return [{ field, mayFilter: filter, maySort: sort, maySelect: select, json }]
}

function enumOf(values: readonly unknown[]): unknown {
  return { type: 'enum', values }
}

/** The properties of a schema of an object. */
function fromObjectSchema(schema: StandardSchemaV1): Declarations {
  const json = jsonSchemasOf(schema).output
  const refs = json && readRefs('resource: fields', json)
  const names = json && declaredNames(json, refs as Refs)
  if (!names?.length)
    throw new TypeError('resource: the schema of the fields declares no properties. Give the schema of an object.')
  const property = childOf(json as JsonObject, refs as Refs, propertyOf)
  const all = names.flatMap(name => fromJson(name, property(name) as JsonObject, refs as Refs))
  return { all, definitions: json?.$defs }
}

/** A property that never leaves is no field at all. */
function fromJson(name: string, json: JsonObject, refs: Refs, root = json): Declared[] {
  const facets = together(root, refs)
  if (facets.some(({ writeOnly }) => writeOnly === true)) return []
  const { type, values } = typeOf(root, refs)
  const isPlain = type !== 'other'
  const field: Field = { name, type, values, column: name, collation: 'binary' }
  return [{ field, mayFilter: isPlain, maySort: isPlain, maySelect: true, json }]
}

/** What a JSON Schema is as a field. Null is a value that every field may have. */
function typeOf(json: JsonObject, refs: Refs): { type: FieldType; values?: string[] } {
  const types = [...(typesOf(json, refs) ?? ['any'])].filter(type => type !== 'null')
  const isAll = (...some: string[]) => types.length > 0 && types.every(type => some.includes(type))
  if (isAll('number', 'integer')) return { type: 'number' }
  if (isAll('boolean')) return { type: 'boolean' }
  if (isAll('date') || (isAll('string') && isDateTime(json, refs))) return { type: 'date' }
  if (isAll('string')) return { type: 'string' }
  const values = types.flatMap(type => (type.startsWith('word:') ? [type.slice(5)] : []))
  return values.length > 0 && values.length === types.length ? { type: 'enum', values } : { type: 'other' }
}

function isDateTime(json: JsonObject, refs: Refs, seen = new Set<object>()): boolean {
  if (seen.has(json)) return false
  seen.add(json)
  const facets = together(json, refs)
  if (facets.some(({ format }) => format === 'date-time')) return true
  const branches = alternatives(facets).map(list => list.filter(it => typeof it === 'object' && it.type !== 'null'))
  return branches.some(list => list.length > 0 && list.every(it => isDateTime(it as JsonObject, refs, seen)))
}
