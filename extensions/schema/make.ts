import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { isPromise } from '../../src/index.ts'
import { embedded, type JsonObject, jsonSchemasOf, stripsUndeclared } from '../../src/schema/index.ts'

/** A Standard Schema that can say itself as JSON Schema, as all of this folder are. */
export interface Schema<Output, Input = Output> {
  readonly '~standard': StandardSchemaV1.Props<Input, Output> & StandardJSONSchemaV1.Props<Input, Output>
}

/** What is wrong with a value. A reader returns it in place of the value, so that one that fits allocates nothing. */
export class Faults {
  readonly issues: { message: string; path: (string | number)[] }[]

  constructor(message?: string) {
    this.issues = message === undefined ? [] : [{ message, path: [] }]
  }

  /** Takes over the faults of a part. */
  add(key: string | number, { issues }: Faults): this {
    for (const { message, path } of issues) this.issues.push({ message, path: [key, ...path] })
    return this
  }
}

/** Gives a value as its schema has it, the same one where there is nothing to change; or the faults. */
export type Read = (value: unknown) => unknown

export interface JsonSides {
  readonly input: JsonObject
  readonly output: JsonObject
}

interface Own {
  readonly [reader]?: Read
}

const reader: unique symbol = Symbol.for('kolba.schema') as never

/** Makes a schema of what reads a value, what it is as JSON Schema, and the schemas that it is made of. */
export function makeSchema<Output, Input = Output>(
  read: Read,
  json: JsonSides,
  parts: readonly StandardSchemaV1[] = [],
): Schema<Output, Input> {
  const its = { strips: parts.every(stripsUndeclared) }
  const schema: Schema<Output, Input> & Own = {
    [reader]: read,
    '~standard': {
      ...its,
      version: 1,
      vendor: 'kolba',
      validate(value) {
        const result = read(value)
        return result instanceof Faults ? { issues: result.issues } : { value: result as Output }
      },
      jsonSchema: { input: options => said(json.input, options), output: options => said(json.output, options) },
    },
  }
  return schema
}

function said(json: JsonObject, { target }: StandardJSONSchemaV1.Options): Record<string, unknown> {
  if (target !== 'draft-2020-12') throw new RangeError(`${target} is not known here. Ask for draft-2020-12.`)
  return structuredClone(json) as Record<string, unknown>
}

/** Both sides of the same. */
export function same(json: JsonObject): JsonSides {
  return { input: json, output: json }
}

/**
 * What reads a value for a schema, of another library too.
 *
 * @throws TypeError for what is no schema
 */
export function readerOf(where: string, schema: StandardSchemaV1): Read {
  const own = (schema as Own | undefined)?.[reader]
  if (own) return own
  const validate = schema?.['~standard']?.validate
  if (typeof validate !== 'function')
    throw new TypeError(`${where} is not a schema. Give one such as int(), or one of another library.`)
  return value => {
    const result = validate(value)
    if (isPromise(result))
      throw new TypeError(`${where} is an asynchronous schema, which stands alone and not in another.`)
    return result.issues ? foreign(result.issues) : result.value
  }
}

function foreign(issues: readonly StandardSchemaV1.Issue[]): Faults {
  const faults = new Faults()
  for (const { message, path = [] } of issues) {
    const keys = path.map(step => (typeof step === 'object' ? step.key : step)) as (string | number)[]
    faults.issues.push({ message, path: keys })
  }
  return faults
}

/** A schema as JSON Schema, to stand within another. One that says nothing of itself is anything. */
export function jsonOf(schema: StandardSchemaV1): JsonSides {
  const { input = {}, output = {} } = jsonSchemasOf(schema)
  return { input: embedded(input), output: embedded(output) }
}
