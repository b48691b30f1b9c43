import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonObject } from './json-schema.ts'
import { DATE } from './json-types.ts'

/** The JSON Schemas of what a schema takes and of what it gives; undefined where its library does not say. */
export interface JsonSchemas {
  readonly input: JsonObject | undefined
  readonly output: JsonObject | undefined
}

type Side = 'input' | 'output'

const TARGET = 'draft-2020-12'
/** A Date has no JSON Schema. It is text in a request, and text again when it is written as JSON. */
const DATE_SCHEMA = { type: 'string', format: 'date-time', ...DATE }

/** What JSON Schema has no words for is anything, and does not keep the rest from being said. */
const OPTIONS: Record<string, Record<string, unknown>> = {
  zod: { unrepresentable: 'any', override: overrideZod },
  arktype: {
    fallback: {
      default: ({ base }: { base: object }) => base,
      date: ({ base }: { base: object }) => ({ ...base, ...DATE_SCHEMA }),
    },
  },
}

export function jsonSchemasOf(schema: StandardSchemaV1): JsonSchemas {
  const vendor = schema['~standard'].vendor
  const read = vendor === 'valibot' ? readValibot : readStandard
  return { input: attempt(() => read(schema, 'input')), output: attempt(() => read(schema, 'output')) }
}

/** A JSON Schema to stand within another. Its references begin at its own root, which it is where it has an `$id`. */
export function embedded({ $schema, ...json }: JsonObject): JsonObject {
  const text = JSON.stringify(json)
  if (!text.includes('"$ref"')) return json
  return { $id: `kolba:///${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, ...json }
}

function readStandard(schema: StandardSchemaV1, side: Side): JsonObject | undefined {
  const { jsonSchema, vendor } = schema['~standard'] as Partial<StandardJSONSchemaV1.Props> & { vendor: string }
  const libraryOptions = OPTIONS[vendor]
  return jsonSchema?.[side]({ target: TARGET, ...(libraryOptions && { libraryOptions }) })
}

function readValibot(schema: StandardSchemaV1, typeMode: Side): JsonObject | undefined {
  const { toJsonSchema } = createRequire(import.meta.url)('@valibot/to-json-schema')
  return toJsonSchema(schema, { target: TARGET, typeMode, errorMode: 'ignore', overrideSchema: overrideValibot })
}

/** A library that cannot say a schema as JSON Schema, or is not installed, leaves it unsaid. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

interface ZodSchema {
  readonly _zod: { readonly def: { readonly type: string } }
  meta?(): { readonly readOnly?: boolean } | undefined
}

function overrideZod({ zodSchema, jsonSchema }: { zodSchema: ZodSchema; jsonSchema: Record<string, unknown> }): void {
  const { type } = zodSchema._zod.def
  if (type === 'date') Object.assign(jsonSchema, DATE_SCHEMA)
  // .readonly() freezes a value, and says nothing of who may send it. That is said by .meta({ readOnly: true }).
  if (type === 'readonly' && !zodSchema.meta?.()?.readOnly) delete jsonSchema.readOnly
}

interface ValibotContext {
  readonly valibotSchema: { readonly type: string }
  readonly jsonSchema: object
}

function overrideValibot({ valibotSchema: { type }, jsonSchema }: ValibotContext): object | undefined {
  if (type === 'date') return DATE_SCHEMA
  return /^loose_object/.test(type) ? { ...jsonSchema, additionalProperties: true } : undefined
}
