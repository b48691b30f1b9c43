import {
  alternatives,
  GONE,
  isObject,
  itemOf,
  type JsonObject,
  lazy,
  listOf,
  mapList,
  mapObject,
  namesOf,
  propertyOf,
  type Refs,
  together,
} from './json-schema.ts'
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

  /** Looks which alternatives fit, as far as can be seen without a validator: one of them, or all where several do. */
  function choosing(facets: readonly JsonObject[], choices: readonly JsonSchema[][]): Prune {
    const isDeclared = facets.some(declares)
    const own = facets.map(({ anyOf, oneOf, $ref, $dynamicRef, allOf, ...rest }) => rest)
    const variants = new Map<string, Prune>()
    return value => {
      if (!isObject(value)) return value
      const fitting = choices.map(list => list.flatMap((it, index) => (mayFit(it, value, refs) ? [index] : [])))
      if (!isDeclared && fitting.some((some, place) => some.some(it => isOpen(choices[place]?.[it] as JsonSchema)))) {
        return value
      }
      const key = fitting.map(some => (some.length === 1 ? some[0] : 'all')).join()
      let prune = variants.get(key)
      if (!prune) {
        const chosen = choices.flatMap((list, place) => {
          const some = fitting[place] as number[]
          return some.length === 1 ? [list[some[0] as number] as JsonSchema] : list
        })
        prune = compile({ allOf: [...own, ...chosen] })
        variants.set(key, prune)
      }
      return prune(value)
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

/** May a value be of a schema, by its type, its required properties, and the words that tell alternatives apart? */
function mayFit(schema: JsonSchema, value: unknown, refs: Refs, seen: readonly JsonSchema[] = []): boolean {
  if (seen.includes(schema)) return false
  return together(schema, refs).every(facet => {
    const { type, required, properties, enum: values } = facet
    if (type !== undefined && ![type].flat().some(it => isOfType(value, it as string))) return false
    if (Array.isArray(values) && !isObject(value) && !values.includes(value)) return false
    if ('const' in facet && !isObject(value) && facet.const !== value) return false
    const choices = alternatives([facet])
    if (!choices.every(list => list.some(it => mayFit(it, value, refs, [...seen, schema])))) return false
    if (!isObject(value) || Array.isArray(value)) return true
    if (!listOf(required).every(name => Object.hasOwn(value, name as never))) return false
    return Object.entries((properties ?? {}) as Record<string, JsonSchema>).every(
      ([name, its]) => !Object.hasOwn(value, name) || mayFit(its, value[name], refs),
    )
  })
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value) && !Array.isArray(value)
  if (type === 'null') return value === null
  if (type === 'string') return typeof value === 'string' || value instanceof Date
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}
