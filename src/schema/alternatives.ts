import type { JsonSchema } from '../route.ts'
import { alternatives, isObject, type JsonObject, listOf, together } from './json-schema.ts'
import type { Refs } from './references.ts'

type Fits = (schema: JsonSchema, value: unknown) => boolean

export interface Choice {
  /** Of each choice, the alternatives that fit. */
  readonly fitting: readonly JsonSchema[][]
  /** The schema that is made of them, the same one each time. */
  readonly schema: JsonObject
}

/**
 * Makes what chooses among alternatives by the value: one of them, or all where none or several fit, so that the schemas
 * to be made are few.
 *
 * @param make the schema for the alternatives chosen, a list of them for each choice
 */
export function chooser(
  choices: readonly JsonSchema[][],
  fits: Fits,
  make: (chosen: readonly JsonSchema[][]) => JsonObject,
): (value: unknown) => Choice {
  const made = new Map<string, JsonObject>()
  return value => {
    const fitting = choices.map(list => list.filter(it => fits(it, value)))
    const chosen = fitting.map((some, place) => (some.length === 1 ? some : (choices[place] as JsonSchema[])))
    const key = fitting
      .map((some, place) => (some.length === 1 ? choices[place]?.indexOf(some[0] as JsonSchema) : 'all'))
      .join()
    const schema = made.get(key) ?? make(chosen)
    made.set(key, schema)
    return { fitting, schema }
  }
}

/**
 * May a value be of a schema, by its type, its required properties, and the words that tell alternatives apart?
 *
 * @param isText whether numbers and flags are still text
 * @param read gives what a property counts as
 */
export function mayFit(refs: Refs, isText = false, read = (value: unknown): unknown => value): Fits {
  const isSame = (one: unknown, value: unknown) =>
    isObject(value) ? isObject(one) : one === value || (isText && String(one) === value)

  function fits(schema: JsonSchema, value: unknown, seen: readonly JsonSchema[] = []): boolean {
    if (seen.includes(schema)) return false
    return together(schema, refs).every(facet => {
      const { type, required, properties = {}, enum: values } = facet
      if (type !== undefined && ![type].flat().some(it => isOfType(value, it as string, isText))) return false
      if (Array.isArray(values) && !values.some(it => isSame(it, value))) return false
      if ('const' in facet && !isSame(facet.const, value)) return false
      if (!alternatives([facet]).every(list => list.some(it => fits(it, value, [...seen, schema])))) return false
      if (!isObject(value) || Array.isArray(value)) return true
      if (!listOf(required).every(name => Object.hasOwn(value, name as never))) return false
      const its = Object.entries(properties as Record<string, JsonSchema>)
      return its.every(([name, schema]) => !Object.hasOwn(value, name) || fits(schema, read(value[name])))
    })
  }

  return fits
}

function isOfType(value: unknown, type: string, isText: boolean): boolean {
  if (type === 'array') return Array.isArray(value) || (isText && typeof value === 'string')
  if (type === 'object') return isObject(value) && !Array.isArray(value)
  if (type === 'null') return value === null
  if (typeof value === 'string') return type === 'string' || (isText && isTextOf(value, type))
  if (type === 'string') return value instanceof Date
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}

function isTextOf(text: string, type: string): boolean {
  return type === 'boolean' ? /^(?:true|false|0|1)$/.test(text) : Number.isFinite(Number(text))
}
