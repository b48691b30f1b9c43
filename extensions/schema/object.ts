import { among, checkOptions } from '../../src/index.ts'
import type { InputOf, JsonObject, OutputOf, SchemaRecord } from '../../src/schema/index.ts'
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
  /** Is undefined given for undefined? */
  readonly isSkipped: boolean
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
    if (isAsDeclared(given, properties)) return given
    let faults: Faults | undefined
    let changes: [string, unknown][] | undefined
    let count = 0
    for (let index = 0; index < properties.length; index += 1) {
      const { name, read, isInherited } = properties[index] as Property
      const before = isInherited && !Object.hasOwn(given, name) ? undefined : given[name]
      if (before !== undefined) count += 1
      const after = read(before)
      if (after === before) continue
      if (after instanceof Faults) {
        faults ??= new Faults()
        faults.add(name, before === undefined ? new Faults(REQUIRED) : after)
      } else {
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
  return makeSchema(read, { input: json('input'), output: json('output') }, Object.values(shape))
}

function toProperty(name: string, schema: SchemaRecord[string]): Property {
  const its = readerOf(`object ${name}`, schema)
  const json = jsonOf(schema)
  const read: Read = json.input.readOnly === true ? value => (value === undefined ? value : its(value)) : its
  const absent = attempt(read)
  const isOptional = !(absent instanceof Faults)
  return { name, read, json, isOptional, isSkipped: absent === undefined, isInherited: name in Object.prototype }
}

/**
 * Is there nothing to change or to say, and all in the order of the declaration, as in most requests? A loop of this
 * kind is the fastest way to read properties by name; what does not end well here is looked at again with care.
 */
function isAsDeclared(given: Record<string, unknown>, properties: readonly Property[]): boolean {
  let index = 0
  for (const name in given) {
    let property = properties[index]
    while (property !== undefined && property.name !== name) {
      if (!property.isSkipped) return false
      index += 1
      property = properties[index]
    }
    if (property === undefined) return false
    const value = given[name]
    if (property.read(value) !== value) return false
    index += 1
  }
  while (properties[index]?.isSkipped) index += 1
  return index === properties.length
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

/** Object.keys would make a list. Where a name is inherited there is one too many, and no harm done. */
function countOf(given: object): number {
  let count = 0
  for (const _ in given) count += 1
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
