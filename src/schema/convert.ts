import type { JsonSchema } from '../route.ts'
import { chooser, mayFit } from './alternatives.ts'
import { mapList, mapObject } from './change.ts'
import { readDate } from './iso-date.ts'
import { alternatives, combiner, isObject, itemOf, type JsonObject, lazy, propertyOf, together } from './json-schema.ts'
import { type Types, typesOf } from './json-types.ts'
import type { Refs } from './references.ts'

export interface Conversion {
  /** Converts all text, as in a query; else only that which stands for a Date, as in JSON. */
  readonly text: boolean
  /** Makes text of a Date where text is declared, as JSON does. */
  readonly dates?: boolean
  /** Takes the spaces around the commas of a list for nothing, as in a header. */
  readonly trim?: boolean
}

type Convert = (value: unknown) => unknown
type ChildOf<K> = (key: K) => JsonSchema | undefined

/** JSON's grammar, so that "0x10", " 1", "1_000" and "" are no numbers. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?$/
const BOOLEANS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

/**
 * Makes what converts text to the declared types, and guesses nothing: where text is among them it stays text, and what
 * does not convert is left as it is, for the schema to say what is wrong with it.
 */
export function converter(schema: JsonSchema, refs: Refs, how: Conversion): Convert {
  const made = new Map<JsonSchema, Convert>()

  function compile(schema: JsonSchema): Convert {
    const known = made.get(schema)
    if (known) return known
    const types = typesOf(schema, refs)
    const choose = choosing(schema)
    const property = childOf(schema, refs, propertyOf)
    const item = childOf(schema, refs, itemOf)
    const items = (list: readonly unknown[]) => mapList(list, (it, index) => child(item(index), it))
    const convert: Convert = value => {
      if (typeof value === 'string') return fromText(value, types, items, how)
      if (Array.isArray(value)) return items(value)
      if (value instanceof Date) return how.dates && types && !types.has('date') ? value.toJSON() : value
      if (!isObject(value)) return value
      const chosen = choose?.(value)
      // Where alternatives are told apart, the types are those of the one that fits.
      if (chosen?.fitting.some(some => some.length === 1)) return compile(chosen.schema)(value)
      return mapObject(value, (it, name) => child(property(name), it))
    }
    made.set(schema, convert)
    return convert
  }

  function choosing(schema: JsonSchema): ReturnType<typeof chooser> | undefined {
    const facets = together(schema, refs)
    const choices = alternatives(facets)
    if (choices.length === 0) return
    const own = facets.map(({ anyOf, oneOf, allOf, ...rest }) => rest)
    const one = (list: readonly JsonSchema[]) => (list.length === 1 ? list[0] : { anyOf: list })
    return chooser(choices, mayFit(refs, how.text), chosen => ({ allOf: [...own, ...chosen.map(one)] }))
  }

  function child(schema: JsonSchema | undefined, value: unknown): unknown {
    if (schema === undefined || typeof schema === 'boolean') return value
    return compile(schema)(value)
  }

  return compile(schema)
}

function fromText(
  text: string,
  types: Types | undefined,
  items: (list: readonly string[]) => unknown,
  { text: all, trim }: Conversion,
): unknown {
  if (!types || types.has('string') || types.has(`word:${text}`)) return text
  if (types.has('date')) return readDate(text) ?? text
  if (!all) return text
  const number = types.has('number') || types.has('integer') ? readNumber(text, types.has('number')) : undefined
  if (number !== undefined) return number
  if (types.has('boolean') && BOOLEANS.has(text)) return BOOLEANS.get(text)
  if (!types.has('array')) return text
  if (text === '') return items([])
  return items(text.split(',').map(item => (trim ? item.trim() : item)))
}

/** A whole number that would lose digits is left as text: `9007199254740993` is nobody's id but its own. */
function readNumber(text: string, fractions: boolean): number | undefined {
  if (!NUMBER.test(text)) return
  const number = Number(text)
  const isWhole = !fractions || /^-?\d+$/.test(text)
  return isWhole && Math.abs(number) > Number.MAX_SAFE_INTEGER
    ? undefined
    : Number.isFinite(number)
      ? number
      : undefined
}

/** What is declared one level down, in the alternatives as well. */
export function childOf<K>(schema: JsonSchema, refs: Refs, read: (facets: JsonObject[]) => ChildOf<K>): ChildOf<K> {
  const facets = together(schema, refs)
  const own = read(facets)
  const choices = alternatives(facets).map(list => ({
    below: list.map(it => lazy(() => childOf(it, refs, read))),
    combine: combiner('anyOf'),
  }))
  if (choices.length === 0) return own
  const combine = combiner('allOf')
  return key => {
    const some = choices.map(({ below, combine }) => combine(below.map(it => it()(key)).filter(isDefined)))
    return combine([own(key), ...some].filter(isDefined))
  }
}

/** Says which properties may be lists; one that is not declared may be. */
export function listTaker(schema: JsonSchema, refs: Refs): (name: string) => boolean {
  const property = childOf(schema, refs, propertyOf)
  return name => typesOf(property(name) ?? true, refs)?.has('array') ?? true
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined
}
