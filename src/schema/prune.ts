import type { JsonSchema } from '../route.ts'
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

type Prune = (value: unknown) => unknown

const keep: Prune = value => value
const gone: Prune = () => GONE

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
 * @param onDate told of each Date on the way out
 */
export function pruner(schema: JsonSchema, refs: Refs, drop: 'readOnly' | 'writeOnly', onDate = () => {}): Prune {
  const made = new Map<JsonSchema, Prune>()
  const isOutput = drop === 'writeOnly'
  const read = isOutput ? (value: unknown) => readJson(value, onDate) : undefined

  function compile(schema: JsonSchema): Prune {
    if (schema === true || (schema === false && !isOutput)) return keep
    const known = made.get(schema)
    if (known) return known
    const facets = withConditional(together(schema, refs), refs)
    const choices = alternatives(facets)
    const its = choices.length > 0 ? choosing(facets, choices) : plain(facets)
    const prune: Prune = isOutput ? value => its(readJson(value, onDate)) : its
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
    const go = (schema: JsonSchema | undefined): Prune => {
      if (schema === undefined || (schema === false && isOutput)) return gone
      return hasKeyword(schema, refs, drop) ? gone : compile(schema)
    }
    // Made when a value comes, because a schema may lead back to itself.
    const declared = lazy(() => new Map(namesOf(facets).map(name => [name, go(property(name))])))
    const others = facets.some(hasOthers) ? undefined : gone
    const items = facets.some(({ prefixItems }) => prefixItems) ? undefined : lazy(() => toItem(0))
    const toItem = (index: number): Prune => {
      const schema = item(index) ?? rest
      return schema === undefined ? keep : compile(schema)
    }

    const below = (value: unknown, name: string) => {
      const prune = declared().get(name) ?? others ?? go(property(name))
      if (prune === gone || (isOutput && NO_JSON.has(typeof value))) return GONE
      return isObject(value) ? prune(value) : value
    }
    const each = (value: unknown, index: number) => (isObject(value) ? (items?.() ?? toItem(index))(value) : value)
    return value => {
      if (Array.isArray(value)) return mapList(value, each)
      if (!isObject(value) || isDate(value)) return value
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
function readJson(value: unknown, onDate: () => void): unknown {
  if (!isObject(value) || typeof value.toJSON !== 'function') return value
  const json = isDate(value) ? value : value.toJSON('')
  if (isDate(json)) onDate()
  if (!isObject(json) || typeof json.toJSON !== 'function' || isDate(json)) return json
  // It would be asked a second time.
  const { toJSON, ...rest } = json
  return rest
}

function declares({ type, properties, patternProperties, additionalProperties, unevaluatedProperties }: JsonObject) {
  const said = properties ?? patternProperties ?? additionalProperties ?? unevaluatedProperties
  return said !== undefined || type === 'object' || listOf(type).includes('object' as never)
}

/** A Date that JSON makes the text of a Date. */
function isDate(value: unknown): boolean {
  return value instanceof Date && value.toJSON === Date.prototype.toJSON
}

/** Does it say anything of properties that are not under `properties`? */
function hasOthers({ patternProperties, additionalProperties, unevaluatedProperties }: JsonObject) {
  return (patternProperties ?? additionalProperties ?? unevaluatedProperties) !== undefined
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
