import type { JsonSchema } from '../route.ts'
import type { Refs } from './references.ts'

// What convert.ts and prune.ts ask of a JSON Schema 2020-12: what holds together at a place, which alternatives there
// are, and what is declared for a property or an item.

export type JsonObject = Readonly<Record<string, unknown>>

const NOTHING: JsonObject = { type: [] }

/** A schema and all that holds together with it: what `$ref` and `allOf` lead to. */
export function together(schema: JsonSchema, refs: Refs, seen = new Set<object>()): JsonObject[] {
  if (typeof schema === 'boolean') return schema ? [] : [NOTHING]
  if (seen.has(schema)) return []
  seen.add(schema)
  const target = refs.get(schema)
  const more = target === undefined ? [] : together(target, refs, seen)
  return [schema, ...more, ...listOf(schema.allOf).flatMap(it => together(it, refs, seen))]
}

/** The alternatives at a place: one list for each `anyOf` and `oneOf`. */
export function alternatives(facets: readonly JsonObject[]): JsonSchema[][] {
  return facets.flatMap(({ anyOf, oneOf }) => [listOf(anyOf), listOf(oneOf)]).filter(list => list.length > 0)
}

/** What is declared for a property: one schema, one made of several, or undefined where there is none. */
export function propertyOf(facets: readonly JsonObject[]): (name: string) => JsonSchema | undefined {
  const readers = facets.map(declaredBy)
  const rest = facets.flatMap(({ unevaluatedProperties: it }) => (it === undefined ? [] : [it as JsonSchema]))
  const combine = combiner('allOf')
  const read = (name: string) => combine(readers.flatMap(read => read(name))) ?? combine(rest)
  const known = new Map(namesOf(facets).map(name => [name, read(name)]))
  // Other names are the client's, and there is no end of them.
  return name => (known.has(name) ? known.get(name) : read(name))
}

/** The names under `properties`. */
export function namesOf(facets: readonly JsonObject[]): string[] {
  return facets.flatMap(({ properties }) => Object.keys(properties ?? {}))
}

function declaredBy(facet: JsonObject): (name: string) => JsonSchema[] {
  const { properties = {}, patternProperties = {}, additionalProperties } = facet as Record<string, JsonObject>
  const patterns = Object.entries(patternProperties).map(([it, schema]) => ({ pattern: new RegExp(it, 'u'), schema }))
  return name => {
    const all = patterns.filter(({ pattern }) => pattern.test(name)).map(({ schema }) => schema as JsonSchema)
    if (Object.hasOwn(properties, name)) all.push(properties[name] as JsonSchema)
    if (all.length === 0 && additionalProperties !== undefined) all.push(additionalProperties)
    return all
  }
}

/** All names of properties that a schema declares, in its alternatives as well. */
export function declaredNames(schema: JsonSchema, refs: Refs, seen: readonly JsonSchema[] = []): string[] {
  if (seen.includes(schema)) return []
  const facets = together(schema, refs)
  const more = alternatives(facets).flatMap(list => list.flatMap(it => declaredNames(it, refs, [...seen, schema])))
  return [...new Set([...namesOf(facets), ...more])]
}

/** What is declared for the item at an index. */
export function itemOf(facets: readonly JsonObject[]): (index: number) => JsonSchema | undefined {
  const combine = combiner('allOf')
  const read = (index: number) =>
    combine(
      facets.flatMap(({ prefixItems, items, unevaluatedItems }) => {
        const schema = listOf(prefixItems)[index] ?? items ?? unevaluatedItems
        return schema === undefined ? [] : [schema as JsonSchema]
      }),
    )
  const count = Math.max(0, ...facets.map(({ prefixItems }) => listOf(prefixItems).length))
  const known = Array.from({ length: count + 1 }, (_, index) => read(index))
  return index => known[Math.min(index, count)]
}

/** Makes one schema of several, the same one each time. A schema has only so many combinations. */
export function combiner(keyword: 'allOf' | 'anyOf'): (schemas: readonly JsonSchema[]) => JsonSchema | undefined {
  const made: { schemas: readonly JsonSchema[]; schema: JsonObject }[] = []
  return all => {
    // `false` is what one schema says of the properties of the others.
    const schemas = all.every(it => it === false) ? all : all.filter(it => it !== false)
    if (schemas.length < 2) return schemas[0]
    const isSame = (other: readonly JsonSchema[]) =>
      other.length === schemas.length && other.every((it, index) => it === schemas[index])
    const known = made.find(it => isSame(it.schemas))
    if (known) return known.schema
    const schema = { [keyword]: schemas }
    made.push({ schemas, schema })
    return schema
  }
}

/** Makes something when it is first asked for. */
export function lazy<T>(make: () => T): () => T {
  let made: { it: T } | undefined
  return () => {
    made ??= { it: make() }
    return made.it
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null
}

export function listOf(value: unknown): JsonSchema[] {
  return Array.isArray(value) ? value : []
}
