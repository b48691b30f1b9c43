/** The names and indexes that lead to a place in JSON; none leads to all of it. */
export type Pointer = readonly string[]

export type Container = Record<string, unknown>

/** Reads a JSON pointer, RFC 6901 sections 3 and 4; undefined for what is none. */
export function readPointer(text: unknown): Pointer | undefined {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')) || /~(?![01])/.test(text)) return
  // In this order: `~01` is `~1`, and not a slash.
  return text
    .split('/')
    .slice(1)
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What stands under one name or index; undefined, which JSON does not have, for nothing. What is inherited is nothing. */
export function childOf(parent: unknown, token: string): unknown {
  if (!isContainer(parent)) return
  if (Array.isArray(parent) && indexOf(token) === undefined) return
  return Object.hasOwn(parent, token) ? parent[token] : undefined
}

/** An index has no sign, no zero in front, and no other way to be written: RFC 6901 section 4. */
export function indexOf(token: string): number | undefined {
  return /^(?:0|[1-9]\d*)$/.test(token) ? Number(token) : undefined
}

/** An object or a list. */
export function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}
