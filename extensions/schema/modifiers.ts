import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { InputOf, JsonObject, OutputOf } from '../../src/schema/index.ts'
import { jsonOf, makeSchema, readerOf, type Schema } from './make.ts'

/**
 * What a schema takes, or nothing: the key of an object, or the whole. With a default it is never undefined; an object
 * or a list is copied each time, so that no request sees what another has changed.
 */
export function optional<S extends StandardSchemaV1>(schema: S): Schema<OutputOf<S> | undefined, InputOf<S> | undefined>
export function optional<S extends StandardSchemaV1>(
  schema: S,
  value: OutputOf<S>,
): Schema<OutputOf<S>, InputOf<S> | undefined>
export function optional(schema: StandardSchemaV1, value?: unknown): Schema<unknown> {
  const read = readerOf('optional', schema)
  const { input, output } = jsonOf(schema)
  const isObject = typeof value === 'object' && value !== null
  const json = (side: JsonObject) => (value === undefined ? side : { ...side, default: toJson(value) })
  return makeSchema(
    given => (given !== undefined ? read(given) : isObject ? structuredClone(value) : value),
    {
      input: json(input),
      output: json(output),
    },
    [schema],
  )
}

/** What a schema takes, or `null`. */
export function nullable<S extends StandardSchemaV1>(schema: S): Schema<OutputOf<S> | null, InputOf<S> | null> {
  const read = readerOf('nullable', schema)
  const { input, output } = jsonOf(schema)
  return makeSchema(given => (given === null ? null : read(given)), { input: orNull(input), output: orNull(output) }, [
    schema,
  ])
}

/**
 * A property that the service gives and no client sets: `input()` takes it out of what is sent, and it is not required
 * there.
 */
export function readOnly<S extends StandardSchemaV1>(
  schema: S,
): Schema<OutputOf<S> | undefined, InputOf<S> | undefined> {
  return flagged(schema, 'readOnly')
}

/** A property that a client sends, as a password, and that never leaves. */
export function writeOnly<S extends StandardSchemaV1>(schema: S): Schema<OutputOf<S>, InputOf<S>> {
  return flagged(schema, 'writeOnly')
}

function flagged(schema: StandardSchemaV1, keyword: 'readOnly' | 'writeOnly'): Schema<never> {
  const { input, output } = jsonOf(schema)
  return makeSchema(
    readerOf(keyword, schema),
    {
      input: { ...input, [keyword]: true },
      output: { ...output, [keyword]: true },
    },
    [schema],
  )
}

function orNull(json: JsonObject): JsonObject {
  const { readOnly, writeOnly, default: value, ...rest } = json
  const flags = { ...(readOnly === true && { readOnly }), ...(writeOnly === true && { writeOnly }) }
  return { anyOf: [rest, { type: 'null' }], ...flags, ...(value !== undefined && { default: value }) }
}

function toJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
