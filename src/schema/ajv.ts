import { createRequire } from 'node:module'
import type { Ajv2020, AnySchemaObject, ErrorObject } from 'ajv/dist/2020.js'
import { isObject, type JsonObject, listOf } from './json-schema.ts'
import type { Checked, Fault } from './standard-schema.ts'

/** Keywords of OpenAPI that say nothing of what fits, and one that ajv follows and does not know. */
const ANNOTATIONS = ['example', 'discriminator', 'xml', 'externalDocs', '$anchor']

const OPTIONS = {
  allErrors: true,
  // What an object inherits, as `toString`, is not there.
  ownProperties: true,
  allowMatchingProperties: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
}

/**
 * Compiles a JSON Schema 2020-12 with ajv. Formats are asserted, all faults are found, and an unknown keyword or format
 * is refused: a `minLenght` must not be silently nothing.
 *
 * @param others schemas that it may refer to by their `$id`
 * @param useDefaults fills the defaults in, into the value itself
 * @throws TypeError where ajv is not installed, and for what is no JSON Schema
 */
export function compileJsonSchema(
  where: string,
  schema: JsonObject,
  others: readonly JsonObject[] = [],
  useDefaults = true,
): (value: unknown) => Checked {
  const { Ajv, addFormats } = load(where)
  const ajv = new Ajv({ ...OPTIONS, useDefaults })
  addFormats(ajv)
  ajv.addVocabulary([...ANNOTATIONS, ...extensionsOf([schema, others])])
  try {
    for (const other of others) ajv.addSchema(other)
    const validate = ajv.compile(schema as AnySchemaObject)
    return value => (validate(value) ? { value } : { faults: toFaults(validate.errors ?? []) })
  } catch (error) {
    throw new TypeError(`${where} is not a JSON Schema 2020-12: ${(error as Error).message}.`, { cause: error })
  }
}

function load(where: string): { Ajv: typeof Ajv2020; addFormats: (ajv: Ajv2020) => void } {
  const require = createRequire(import.meta.url)
  try {
    return { Ajv: require('ajv/dist/2020.js').Ajv2020, addFormats: require('ajv-formats').default }
  } catch (error) {
    const advice = 'Run npm install ajv ajv-formats, or give a Standard Schema.'
    throw new TypeError(`${where} is a JSON Schema, which needs ajv. ${advice}`, { cause: error })
  }
}

/** The keywords that begin with `x-`. */
function extensionsOf(schema: unknown, seen = new Set<string>()): Set<string> {
  if (!isObject(schema)) return seen
  for (const [name, value] of Object.entries(schema)) {
    if (name.startsWith('x-')) seen.add(name)
    extensionsOf(value, seen)
  }
  return seen
}

/** The faults that ajv's errors are. What it says of the alternatives one by one is left out where none of them fits. */
function toFaults(errors: readonly ErrorObject[]): Fault[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf').map(it => it.schemaPath)
  const telling = errors.filter(
    ({ keyword, schemaPath }) => keyword !== 'if' && !unions.some(it => schemaPath.startsWith(`${it}/`)),
  )
  return telling.map(({ instancePath, keyword, params, message = 'does not fit' }) => {
    const { missingProperty, additionalProperty, unevaluatedProperty } = params as Record<string, string | undefined>
    const extra = additionalProperty ?? unevaluatedProperty
    const path = [...readPointer(instancePath), ...((missingProperty ?? extra) ? [missingProperty ?? extra] : [])]
    return { path: path as Fault['path'], message: sayError(keyword, message, missingProperty, extra) }
  })
}

function sayError(keyword: string, message: string, missing?: string, extra?: string): string {
  if (extra !== undefined) return 'This is not expected here.'
  if (missing !== undefined) return keyword === 'required' ? 'This is required.' : 'This is required beside the others.'
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}

/** Numbers of list items stay text: it is a place to be named, and not one to be looked up. */
function readPointer(pointer: string): string[] {
  const steps = pointer.split('/').slice(1)
  return steps.map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** A schema in which nothing is required that has a keyword: what a client may not send, or what never leaves. */
export function withoutRequired<S>(schema: S, keyword: 'readOnly' | 'writeOnly'): S {
  if (Array.isArray(schema)) return schema.map(it => withoutRequired(it, keyword)) as S
  if (!isObject(schema)) return schema
  const { properties, required } = schema as JsonObject
  const copy = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, withoutRequired(value, keyword)]),
  )
  if (!isObject(properties) || !Array.isArray(required)) return copy as S
  const has = (name: string) => (properties[name] as JsonObject | undefined)?.[keyword] === true
  return { ...copy, required: listOf(required).filter(name => !has(name as never)) } as S
}
