import type { JsonObject } from './json-schema.ts'

// Copies are made only of what changes: most values are as they should be.

/** In `mapObject`, says that a property goes. */
export const GONE = Symbol('gone')

/** The same object where nothing changes, else a copy. The name `__proto__`, which would be its prototype, always goes. */
export function mapObject(object: JsonObject, go: (value: unknown, name: string) => unknown): JsonObject {
  const names = Object.keys(object)
  let copy: Record<string, unknown> | undefined
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string
    const before = object[name]
    const after = name === '__proto__' ? GONE : go(before, name)
    if (!copy && after !== before) {
      copy = {}
      for (const earlier of names.slice(0, index)) copy[earlier] = object[earlier]
    }
    if (copy && after !== GONE) copy[name] = after
  }
  return copy ?? object
}

/** The same list where nothing changes, else a copy. */
export function mapList(list: readonly unknown[], go: (value: unknown, index: number) => unknown): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index += 1) {
    const after = go(list[index], index)
    if (!copy && after !== list[index]) copy = list.slice()
    if (copy) copy[index] = after
  }
  return copy ?? list
}
