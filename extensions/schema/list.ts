import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkOptions, kinds } from '../../src/index.ts'
import type { InputOf, JsonObject, OutputOf } from '../../src/schema/index.ts'
import { Faults, jsonOf, makeSchema, type Read, readerOf, type Schema } from './make.ts'

export interface ListOptions {
  /** Items at least. @default 0 */
  min?: number
  /** Items at most. @default as many as the body's limits allow */
  max?: number
  /** Refuses an item that is there twice, as JSON. @default false */
  unique?: boolean
}

/** A list of what a schema takes. In a query it comes by repetition or with commas: `tag=a&tag=b`, `tag=a,b`. */
export function list<S extends StandardSchemaV1>(
  of: S,
  options: ListOptions = {},
): Schema<OutputOf<S>[], InputOf<S>[]> {
  checkOptions('list', options, { min: kinds.count, max: kinds.count, unique: kinds.flag })
  const { min = 0, max = Infinity, unique = false } = options
  if (min > max) throw new TypeError(`list: min ${min} is more than max ${max}. Exchange them.`)
  const readItem = readerOf('list', of)
  const length = `Expected ${max === Infinity ? `at least ${min}` : `${min} to ${max}`} items.`

  const read: Read = value => {
    if (!Array.isArray(value)) return new Faults('Expected a list.')
    if (value.length < min || value.length > max) return new Faults(length)
    let faults: Faults | undefined
    let changed: unknown[] | undefined
    for (let index = 0; index < value.length; index += 1) {
      const before = value[index]
      const after = readItem(before)
      if (after instanceof Faults) {
        faults ??= new Faults()
        faults.add(index, after)
      } else if (after !== before) changed ??= value.slice(0, index)
      changed?.push(after)
    }
    if (faults) return faults
    if (unique && new Set(value.map(item => JSON.stringify(item))).size < value.length)
      return new Faults('Expected no item twice.')
    return changed ?? value
  }

  const items = jsonOf(of)
  const json = (items: JsonObject): JsonObject => ({
    type: 'array',
    items,
    ...(min > 0 && { minItems: min }),
    ...(max < Infinity && { maxItems: max }),
    ...(unique && { uniqueItems: true }),
  })
  return makeSchema(read, { input: json(items.input), output: json(items.output) }, [of])
}
