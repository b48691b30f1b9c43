import { types } from 'node:util'
import { isBare } from '../../src/index.ts'

/**
 * Values as text, for a store, and back: what JSON knows, and `undefined`, numbers that are none of JSON's, big integers,
 * dates, bytes, maps, sets and objects without a prototype. An object with a property `$` is how the others are written.
 */
const MARK = '$'
const DEEPEST = 200

/** @throws TypeError for what cannot be stored, `input.file is a stream`: functions, streams, instances of classes, circles */
export function toText(value: unknown, where: string): string {
  return JSON.stringify(store(value, where, 0))
}

export function fromText(text: string): unknown {
  return restore(JSON.parse(text))
}

function store(value: unknown, where: string, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (value === undefined) return { [MARK]: 'undefined' }
  if (typeof value === 'number') return isJson(value) ? value : { [MARK]: 'number', value: nameOf(value) }
  if (typeof value === 'bigint') return { [MARK]: 'bigint', value: `${value}` }
  if (typeof value !== 'object') throw new TypeError(`${where} is a ${typeof value}`)
  if (depth > DEEPEST) throw new TypeError(`${where} is deeper than ${DEEPEST} levels, or leads back to itself`)
  if (Array.isArray(value)) return Array.from(value, (item, index) => store(item, `${where}[${index}]`, depth + 1))
  return storeObject(value, where, depth)
}

function storeObject(value: object, where: string, depth: number): unknown {
  const list = (items: Iterable<unknown>) => [...items].map(item => store(item, where, depth + 1))
  if (types.isDate(value)) return { [MARK]: 'date', value: value.getTime() }
  if (value instanceof Uint8Array)
    return {
      [MARK]: Buffer.isBuffer(value) ? 'buffer' : 'bytes',
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
    }
  if (types.isMap(value)) return { [MARK]: 'map', value: list([...value].flat(1)) }
  if (types.isSet(value)) return { [MARK]: 'set', value: list(value) }
  const bare = isBare(value)
  if (!bare && Object.getPrototypeOf(value) !== Object.prototype) throw new TypeError(`${where} is ${kindOf(value)}`)
  const its = Object.entries(value).map(([name, item]) => [name, store(item, `${where}.${name}`, depth + 1)] as const)
  const stored = Object.fromEntries(its)
  if (bare) return { [MARK]: 'bare', value: stored }
  return MARK in stored ? { [MARK]: 'object', value: stored } : stored
}

function isJson(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0)
}

function nameOf(value: number): string {
  return Object.is(value, -0) ? '-0' : `${value}`
}

function kindOf(value: object): string {
  if (typeof (value as { pipe?: unknown }).pipe === 'function' || Symbol.asyncIterator in value) return 'a stream'
  const { name } = value.constructor ?? {}
  return name ? `an instance of ${name}` : 'an object of a kind of its own'
}

function restore(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(restore)
  const { [MARK]: mark, value: its } = value as Record<string, unknown>
  if (typeof mark !== 'string') return restoreObject(value)
  return (MARKS[mark] as (its: unknown) => unknown)(its)
}

/** Whatever a property is called, it becomes one of the object itself. */
function restoreObject(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, restore(item)]))
}

const MARKS: Record<string, (its: never) => unknown> = {
  undefined: () => undefined,
  number: (text: string) => Number(text),
  bigint: (text: string) => BigInt(text),
  date: (time: number | null) => new Date(time ?? Number.NaN),
  buffer: (text: string) => Buffer.from(text, 'base64'),
  bytes: (text: string) => new Uint8Array(Buffer.from(text, 'base64')),
  map: (items: unknown[]) => {
    const flat = items.map(restore)
    return new Map(flat.flatMap((key, index) => (index % 2 === 0 ? [[key, flat[index + 1]] as const] : [])))
  },
  set: (items: unknown[]) => new Set(items.map(restore)),
  bare: (its: object) => Object.assign(Object.create(null), restoreObject(its)),
  object: (its: object) => restoreObject(its),
}
