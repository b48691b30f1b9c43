import { among, checkOptions } from '../../src/index.ts'
import type { JsonObject } from '../../src/json-schema.ts'
import type { InputOf, OutputOf, SchemaRecord } from '../../src/schema.ts'
import { Faults, type JsonSides, jsonOf, makeSchema, type Read, readerOf, type Schema } from './make.ts'

export interface ObjectOptions {
  /** What becomes of properties that are not declared: they go, or stay, or are a fault. @default 'drop' */
  additional?: 'drop' | 'keep' | 'refuse'
}

interface Property {
  readonly name: string
  readonly read: Read
  readonly json: JsonSides
  readonly isOptional: boolean
  /** A name such as `constructor` is found on every object. */
  readonly isInherited: boolean
}

/** An object of these properties. A property of which the schema takes undefined need not be there. */
export function object<R extends SchemaRecord>(shape: R, options: ObjectOptions = {}): Schema<OutputOf<R>, InputOf<R>> {
  checkOptions('object', options, { additional: among('drop', 'keep', 'refuse') })
  if (typeof shape !== 'object' || shape === null)
    throw new TypeError('object: the shape is no object. Give one of schemas by name, { id: int() }.')
  const { additional = 'drop' } = options
  const properties = Object.entries(shape).map(([name, schema]) => toProperty(name, schema))
  const names = new Set(Object.keys(shape))

  const read: Read = value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Faults('Expected an object.')
    const given = value as Record<string, unknown>
    let faults: Faults | undefined
    let changes: [string, unknown][] | undefined
    let count = 0
    for (let index = 0; index < properties.length; index += 1) {
      const { name, read, isInherited } = properties[index] as Property
      const before = isInherited && !Object.hasOwn(given, name) ? undefined : given[name]
      const after = read(before)
      if (before !== undefined) count += 1
      if (after instanceof Faults)
        faults = (faults ?? new Faults()).add(name, before === undefined ? new Faults(REQUIRED) : after)
      else if (after !== before) {
        changes ??= []
        changes.push([name, after])
      }
    }
    const isExact = countOf(given) === count
    if (!isExact && additional === 'refuse') faults = refuseOthers(given, names, faults)
    if (faults) return faults
    if (additional === 'keep') return changes ? { ...given, ...Object.fromEntries(changes) } : given
    return isExact && !changes ? given : pick(given, properties, changes)
  }

  const json = (side: keyof JsonSides): JsonObject => {
    const required = properties.filter(it => isRequired(it, side)).map(({ name }) => name)
    return {
      type: 'object',
      properties: Object.fromEntries(properties.map(({ name, json }) => [name, json[side]])),
      ...(required.length > 0 && { required }),
      ...(additional !== 'drop' && { additionalProperties: additional === 'keep' }),
    }
  }
  return makeSchema(read, { input: json('input'), output: json('output') })
}

function toProperty(name: string, schema: SchemaRecord[string]): Property {
  const its = readerOf(`object ${name}`, schema)
  const json = jsonOf(schema)
  const read: Read = json.input.readOnly === true ? value => (value === undefined ? value : its(value)) : its
  return { name, read, json, isOptional: !(attempt(read) instanceof Faults), isInherited: name in Object.prototype }
}

/** What has a default, or is the service's to give, is always there in what is sent out; what never leaves is not. */
function isRequired({ json, isOptional }: Property, side: keyof JsonSides): boolean {
  const { readOnly, writeOnly, default: value } = json[side]
  if (side === 'input') return !isOptional
  return writeOnly !== true && (!isOptional || readOnly === true || value !== undefined)
}

const REQUIRED = 'This is required.'

/** A schema of another library may do anything at undefined. */
function attempt(read: Read): unknown {
  try {
    return read(undefined)
  } catch {
    return new Faults(REQUIRED)
  }
}

/** Object.keys would make a list. */
function countOf(given: object): number {
  let count = 0
  for (const name in given) if (Object.hasOwn(given, name)) count += 1
  return count
}

function refuseOthers(given: object, names: ReadonlySet<string>, faults = new Faults()): Faults | undefined {
  for (const name of Object.keys(given))
    if (!names.has(name)) faults.add(name, new Faults('This is not expected here.'))
  return faults.issues.length > 0 ? faults : undefined
}

function pick(
  given: Record<string, unknown>,
  properties: readonly Property[],
  changes: readonly [string, unknown][] = [],
): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const { name, isInherited } of properties) {
    if (isInherited && !Object.hasOwn(given, name)) continue
    if (given[name] !== undefined) copy[name] = given[name]
  }
  for (const [name, value] of changes) copy[name] = value
  return copy
}
