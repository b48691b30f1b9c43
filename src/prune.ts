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

/** A property of these kinds is not there in JSON. */
const NO_JSON = new Set(['undefined', 'function', 'symbol'])

/**
 * Makes what takes undeclared properties out of a value, at every level: a property stays if it is among the
 * `properties` or `patternProperties` of an alternative that fits, or if `additionalProperties` says in so many words
 * that more may come. Where that is `false` they stay as well on the way in, for the schema to refuse.
 *
 * On the way out, `writeOnly`, nothing stays that is not declared: those go as well, and so does what is in an object
 * or a list where another type is declared. A value with `toJSON` is what that gives, once.
 *
 * @param drop the keyword of the properties that go although they are declared
 */
export function pruner(schema: JsonSchema, refs: Refs, drop: 'readOnly' | 'writeOnly'): Prune {
  const made = new Map<JsonSchema, Prune>()

  const isOutput = drop === 'writeOnly'
  const read = isOutput ? readJson : undefined

  function compile(schema: JsonSchema): Prune {
    if (schema === true || (schema === false && !isOutput)) return value => value
    const known = made.get(schema)
    if (known) return known
    const facets = withConditional(together(schema, refs), refs)
    const choices = alternatives(facets)
    const its = choices.length > 0 ? choosing(facets, choices) : plain(facets)
    const prune: Prune = isOutput ? value => its(readJson(value)) : its
    made.set(schema, prune)
    return prune
  }

  function plain(facets: readonly JsonObject[]): Prune {
    const isDeclared = facets.some(declares)
    // What is of another type than is declared does not fit, and does not leave with what is in it.
    const isClosed = isOutput && facets.some(isTyped)
    const property = propertyOf(facets)
    const item = itemOf(facets)
    const rest: JsonSchema | undefined = isClosed && !facets.some(takesList) ? false : undefined
    const declared = new Map(namesOf(facets).map(name => [name, lazy(() => go(property(name)))]))
    const go = (schema: JsonSchema | undefined): Prune => {
      if (schema === undefined || (schema === false && isOutput)) return () => GONE
      return hasKeyword(schema, refs, drop) ? () => GONE : compile(schema)
    }
    const below = (value: unknown, name: string) => {
      if (isOutput && NO_JSON.has(typeof value)) return GONE
      return (declared.get(name)?.() ?? go(property(name)))(value)
    }
    const each = (value: unknown, index: number) => {
      const schema = item(index) ?? rest
      return schema === undefined ? value : compile(schema)(value)
    }
    return value => {
      if (Array.isArray(value)) return mapList(value, each)
      if (!isObject(value) || value instanceof Date) return value
      return isDeclared || isClosed ? mapObject(value, below) : value
    }
  }

  /** Goes by the alternative that fits, as far as can be seen without a validator; by all where several do. */
  function choosing(facets: readonly JsonObject[], choices: readonly JsonSchema[][]): Prune {
    const own = facets.map(({ anyOf, oneOf, allOf, ...rest }) => rest)
    const choose = chooser(choices, mayFit(refs, false, read), chosen => ({ allOf: [...own, ...chosen.flat()] }))
    return value => {
      if (!isObject(value)) return value
      const says = Array.isArray(value) ? saysOf.list : saysOf.object
      const { fitting, schema } = choose(value)
      return !facets.some(says) && fitting.flat().some(it => isOpen(it, says)) ? value : compile(schema)(value)
    }
  }

  const saysOf = isOutput
    ? { object: isTyped, list: (facet: JsonObject) => isTyped(facet) && !takesList(facet) }
    : { object: declares, list: saysOfItems }

  /** Does an alternative say nothing of properties, or of items, whatever it leads to? */
  function isOpen(schema: JsonSchema, says: (facet: JsonObject) => boolean, seen: readonly JsonSchema[] = []): boolean {
    if (seen.includes(schema)) return true
    const facets = together(schema, refs)
    const below = alternatives(facets).flat()
    return !facets.some(says) && below.every(it => isOpen(it, says, [...seen, schema]))
  }

  return compile(schema)
}

/** Is a keyword such as `writeOnly` true of what a schema is of, or of one of its alternatives? */
export function hasKeyword(schema: JsonSchema, refs: Refs, keyword: string, seen: readonly JsonSchema[] = []): boolean {
  if (seen.includes(schema)) return false
  const facets = together(schema, refs)
  const some = alternatives(facets).flat()
  return facets.some(it => it[keyword] === true) || some.some(it => hasKeyword(it, refs, keyword, [...seen, schema]))
}

/** The value that JSON has for one. A Date stays, because it is text in JSON however that is written. */
function readJson(value: unknown): unknown {
  if (!isObject(value) || typeof value.toJSON !== 'function') return value
  if (value instanceof Date && value.toJSON === Date.prototype.toJSON) return value
  const json = value.toJSON('')
  if (!isObject(json) || typeof json.toJSON !== 'function' || json instanceof Date) return json
  // It would be asked a second time.
  const { toJSON, ...rest } = json
  return rest
}

function declares({ type, properties, patternProperties, additionalProperties, unevaluatedProperties }: JsonObject) {
  const said = properties ?? patternProperties ?? additionalProperties ?? unevaluatedProperties
  return said !== undefined || type === 'object' || listOf(type).includes('object' as never)
}

function saysOfItems({ items, prefixItems, unevaluatedItems }: JsonObject) {
  return (items ?? prefixItems ?? unevaluatedItems) !== undefined
}

function isTyped(facet: JsonObject) {
  const values = [facet.const, ...listOf(facet.enum)].filter(it => it !== undefined)
  const isPlain = values.length > 0 && !values.some(isObject)
  return 'type' in facet || isPlain || declares(facet) || saysOfItems(facet)
}

/** Does it take lists in so many words, and say nothing of what is in them? */
function takesList(facet: JsonObject) {
  return [facet.type].flat().includes('array') && !saysOfItems(facet)
}

/** With what holds in some cases: its properties are declared as well. */
function withConditional(facets: readonly JsonObject[], refs: Refs): JsonObject[] {
  return facets.flatMap(facet => {
    const some = [facet.if, facet.then, facet.else, ...Object.values(facet.dependentSchemas ?? {})]
    const more = some.filter(it => it !== undefined).flatMap(it => together(it as JsonSchema, refs))
    return [facet, ...(more.length > 0 ? withConditional(more, refs) : [])]
  })
}
