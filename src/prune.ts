import { chooser, mayFit } from './alternatives.ts'
import { GONE, mapList, mapObject } from './change.ts'
import {
  alternatives,
  isObject,
  itemOf,
  type JsonObject,
  lazy,
  listOf,
  namesOf,
  propertyOf,
  together,
} from './json-schema.ts'
import type { Refs } from './references.ts'
import type { JsonSchema } from './route.ts'

type Prune = (value: unknown) => unknown

/**
 * Makes what takes undeclared properties out of a value, at every level: a property stays if it is among the
 * `properties` or `patternProperties` of an alternative that fits, or if `additionalProperties` says in so many words
 * that more may come. Where that is `false` they stay as well, for the schema to refuse.
 *
 * @param drop the keyword of the properties that go although they are declared
 */
export function pruner(schema: JsonSchema, refs: Refs, drop: 'readOnly' | 'writeOnly'): Prune {
  const made = new Map<JsonSchema, Prune>()

  function compile(schema: JsonSchema): Prune {
    if (typeof schema === 'boolean') return value => value
    const known = made.get(schema)
    if (known) return known
    const facets = withConditional(together(schema, refs), refs)
    const choices = alternatives(facets)
    const prune = choices.length > 0 ? choosing(facets, choices) : plain(facets)
    made.set(schema, prune)
    return prune
  }

  function plain(facets: readonly JsonObject[]): Prune {
    const isDeclared = facets.some(declares)
    const property = propertyOf(facets)
    const item = itemOf(facets)
    const declared = new Map(namesOf(facets).map(name => [name, lazy(() => go(property(name)))]))
    const go = (schema: JsonSchema | undefined): Prune => {
      if (schema === undefined) return () => GONE
      return together(schema, refs).some(it => it[drop] === true) ? () => GONE : compile(schema)
    }
    const below = (value: unknown, name: string) => (declared.get(name)?.() ?? go(property(name)))(value)
    const each = (value: unknown, index: number) => {
      const schema = item(index)
      return schema === undefined ? value : compile(schema)(value)
    }
    return value => {
      if (Array.isArray(value)) return mapList(value, each)
      return isDeclared && isObject(value) && !(value instanceof Date) ? mapObject(value, below) : value
    }
  }

  /** Goes by the alternative that fits, as far as can be seen without a validator; by all where several do. */
  function choosing(facets: readonly JsonObject[], choices: readonly JsonSchema[][]): Prune {
    const isDeclared = facets.some(declares)
    const own = facets.map(({ anyOf, oneOf, allOf, ...rest }) => rest)
    const choose = chooser(choices, mayFit(refs), chosen => ({ allOf: [...own, ...chosen.flat()] }))
    return value => {
      if (!isObject(value)) return value
      const { fitting, schema } = choose(value)
      return !isDeclared && fitting.flat().some(it => isOpen(it)) ? value : compile(schema)(value)
    }
  }

  /** Does an alternative say nothing of properties, whatever it leads to? */
  function isOpen(schema: JsonSchema, seen: readonly JsonSchema[] = []): boolean {
    if (seen.includes(schema)) return true
    const facets = together(schema, refs)
    const below = alternatives(facets).flat()
    return !facets.some(declares) && below.every(it => isOpen(it, [...seen, schema]))
  }

  return compile(schema)
}

function declares({ type, properties, patternProperties, additionalProperties, unevaluatedProperties }: JsonObject) {
  const said = properties ?? patternProperties ?? additionalProperties ?? unevaluatedProperties
  return said !== undefined || type === 'object' || listOf(type).includes('object' as never)
}

/** With what holds in some cases: its properties are declared as well. */
function withConditional(facets: readonly JsonObject[], refs: Refs): JsonObject[] {
  return facets.flatMap(facet => {
    const some = [facet.if, facet.then, facet.else, ...Object.values(facet.dependentSchemas ?? {})]
    const more = some.filter(it => it !== undefined).flatMap(it => together(it as JsonSchema, refs))
    return [facet, ...(more.length > 0 ? withConditional(more, refs) : [])]
  })
}
