import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Awaitable } from '../context.ts'
import { isPromise, when } from '../when.ts'
import { compileJsonSchema, withoutRequired } from './ajv.ts'
import { isObject, type JsonObject } from './json-schema.ts'
import { embedded, type JsonSchemas, jsonSchemasOf } from './json-schema-of.ts'
import { type Checked, type Fault, isStandardSchema, toFaults } from './standard-schema.ts'

export type { Checked, Fault } from './standard-schema.ts'

/** Schemas by the name of what they check. */
export type SchemaRecord = Readonly<Record<string, StandardSchemaV1>>

/** What a schema may be: a Standard Schema, an object of them, or a JSON Schema 2020-12 as an object. */
export type AnySchema = StandardSchemaV1 | SchemaRecord | JsonObject

/** What a schema gives. A JSON Schema does not tell TypeScript, so that is unknown. */
export type OutputOf<S> =
  S extends StandardSchemaV1<unknown, infer Output>
    ? Output
    : S extends SchemaRecord
      ? Keyed<{ -readonly [K in keyof S]: OutputOf<S[K]> }>
      : unknown

/** What a schema takes. */
export type InputOf<S> =
  S extends StandardSchemaV1<infer Input, unknown>
    ? Input
    : S extends SchemaRecord
      ? Keyed<{ -readonly [K in keyof S]: InputOf<S[K]> }>
      : unknown

/** An object in which a property that may be undefined need not be there. */
export type Keyed<T> = Flat<
  { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
    [K in keyof T as undefined extends T[K] ? K : never]?: T[K]
  }
>
type Flat<T> = { [K in keyof T]: T[K] }

/** Any schema in one form. */
export interface PreparedSchema {
  /** The value as the schema gives it, or all its faults. It is a promise where the schema makes one. */
  check(value: unknown): Awaitable<Checked>
  readonly json: JsonSchemas
  /** Is undefined a value that it takes? */
  readonly isOptional: boolean
  /** Does it leave undeclared properties out of what it gives, at every level? */
  readonly strips: boolean
}

type Side = 'input' | 'output'

/** Libraries of which an object gives its declared properties and no others. */
const STRIPPING = ['kolba', 'zod', 'valibot']

/** Does a schema leave out by itself what is not declared? One of kolba does not where it is made of others that do not. */
export function stripsUndeclared({ '~standard': its }: StandardSchemaV1): boolean {
  return STRIPPING.includes(its.vendor) && (its as { strips?: boolean }).strips !== false
}

/**
 * Prepares a schema, once, so that all kinds of them are used alike.
 *
 * @param where what the errors begin with, `GET /books: input query`
 * @param side which way the values go: on the way out a JSON Schema fills no defaults in, and requires nothing `writeOnly`
 * @throws TypeError for what is no schema, and for a JSON Schema without ajv
 */
export function prepareSchema(where: string, schema: unknown, side: Side = 'input'): PreparedSchema {
  if (isStandardSchema(schema)) return prepareStandard(schema)
  if (!isObject(schema) || Array.isArray(schema)) throw new TypeError(`${where} is not a schema. ${ADVICE}`)
  const entries = Object.entries(schema)
  const odd = entries.find(([, value]) => !isStandardSchema(value))
  if (!odd) return prepareRecord(schema as SchemaRecord)
  if (odd && entries.some(([, value]) => isStandardSchema(value)))
    throw new TypeError(`${where} ${odd[0]} is not a schema. ${ADVICE}`)
  if (!entries.some(([name]) => KEYWORDS.has(name))) throw new TypeError(`${where} is not a schema. ${ADVICE}`)
  return prepareJsonSchema(where, schema, side)
}

const ADVICE =
  'Give a Standard Schema (of zod, valibot, arktype or kolba/schema), an object of them, or a JSON Schema 2020-12.'
/** One of these makes an object a JSON Schema. */
const KEYWORDS = new Set(
  '$schema $id $ref $defs $dynamicRef type enum const properties patternProperties required items allOf anyOf oneOf not if'.split(
    ' ',
  ),
)

function prepareStandard(schema: StandardSchemaV1): PreparedSchema {
  const { vendor, validate } = schema['~standard']
  const read = (value: unknown, result: StandardSchemaV1.Result<unknown>): Checked =>
    result.issues ? { faults: toFaults(vendor, result.issues, value) } : { value: result.value }
  return {
    // An await here would make a promise of a schema that makes none.
    check: value => when(validate(value), result => read(value, result as StandardSchemaV1.Result<unknown>)),
    json: jsonSchemasOf(schema),
    isOptional: takesUndefined(schema),
    strips: stripsUndeclared(schema),
  }
}

function prepareRecord(record: SchemaRecord): PreparedSchema {
  const parts = Object.entries(record).map(([name, schema]) => ({ name, ...prepareStandard(schema) }))
  const json = (side: Side) =>
    objectOf(parts.map(({ name, json, isOptional }) => ({ name, json: json[side], isOptional })))
  return {
    check(value) {
      if (!isObject(value) || Array.isArray(value)) return { faults: [{ path: [], message: 'Expected an object.' }] }
      const results = parts.map(({ name, check }) => check(Object.hasOwn(value, name) ? value[name] : undefined))
      const names = parts.map(({ name }) => name)
      return results.some(isPromise)
        ? Promise.all(results).then(all => collect(names, all))
        : collect(names, results as Checked[])
    },
    json: { input: json('input'), output: json('output') },
    isOptional: false,
    strips: parts.every(({ strips }) => strips),
  }
}

function collect(names: readonly string[], results: readonly Checked[]): Checked {
  const faults: Fault[] = []
  const value: Record<string, unknown> = {}
  results.forEach((result, index) => {
    const name = names[index] as string
    if (result.faults) faults.push(...result.faults.map(({ path, message }) => ({ path: [name, ...path], message })))
    else if (result.value !== undefined) value[name] = result.value
  })
  return faults.length > 0 ? { faults } : { value }
}

/** The JSON Schema of a record. One of its schemas that says nothing of itself is anything. */
function objectOf(parts: readonly { name: string; json: JsonObject | undefined; isOptional: boolean }[]): JsonObject {
  const schemas = parts.map(({ name, json = {} }) => [name, embedded(json)])
  const required = parts.filter(({ isOptional }) => !isOptional).map(({ name }) => name)
  return { type: 'object', properties: Object.fromEntries(schemas), ...(required.length > 0 && { required }) }
}

function prepareJsonSchema(where: string, schema: JsonObject, side: Side): PreparedSchema {
  const keyword = side === 'input' ? 'readOnly' : 'writeOnly'
  const given = JSON.stringify(schema).includes(`"${keyword}":true`) ? withoutRequired(schema, keyword) : schema
  return {
    check: compileJsonSchema(where, given, [], side === 'input'),
    json: { input: given, output: schema },
    isOptional: false,
    strips: false,
  }
}

/** Asks the schema itself, because nothing in the standard says it. One that makes a promise is taken to want a value. */
function takesUndefined(schema: StandardSchemaV1): boolean {
  try {
    const result = schema['~standard'].validate(undefined)
    if (isPromise(result)) result.then(undefined, () => {})
    return !isPromise(result) && !result.issues
  } catch {
    return false
  }
}
