import { isBare } from './bare.ts'

/** Is it plain data that is frozen in all its depth, and so the same for ever? It may hold itself. */
export function isFixed(value: unknown, above = new Set<object>()): boolean {
  if (typeof value !== 'object' || value === null || above.has(value)) return true
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || isBare(value)
  if (!isPlain || !Object.isFrozen(value) || 'toJSON' in value) return false
  above.add(value)
  return Reflect.ownKeys(value).every(key => {
    const { value: its, get } = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor
    // What a getter gives may be another thing each time.
    return get === undefined && isFixed(its, above)
  })
}

/**
 * A function that remembers what it has made of an object that is fixed, such as the claims of a token, for as long as
 * there is that object. Of all else it is made each time.
 *
 * @example const textOf = rememberFixed(claims => JSON.stringify(claims))
 */
export function rememberFixed<T extends object | string>(make: (value: unknown) => T): (value: unknown) => T {
  const known = new WeakMap<object, T>()
  return value => {
    const found = known.get(value as object)
    if (found !== undefined) return found
    const made = make(value)
    if (typeof value === 'object' && value !== null && isFixed(value)) known.set(value, made)
    return made
  }
}
