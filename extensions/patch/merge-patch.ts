import { isContainer } from './pointer.ts'

/**
 * Applies a JSON Merge Patch, RFC 7396 section 2: `null` removes a member, an object is merged, and all else, a list
 * too, takes the place of what was there. The target stays as it was.
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  // By entries, because to assign to the name __proto__ would be something else.
  const members = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name)
    else members.set(name, applyMergePatch(members.get(name), value))
  }
  return Object.fromEntries(members)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value)
}
