import { problem } from '../../src/index.ts'
import { type Operation, refusal } from './operations.ts'
import { type Container, childOf, indexOf, isContainer, type Pointer } from './pointer.ts'

/** A document that is being changed. */
interface Draft {
  /** Holds the document under the name '', so that all of it has a parent too. */
  readonly holder: Container
  /** The objects and lists that were made here, and may be written to. */
  readonly own: Set<unknown>
  readonly depth: number
  /** What copies may still add. */
  room: number
}

export interface JsonPatchLimits {
  /** Levels of nesting that a copied value may have. */
  readonly depth: number
  /** Characters of names and text, and values, that all copies together may add: each takes a few bytes to send. */
  readonly copied: number
}

/**
 * Applies a JSON Patch, RFC 6902. The document stays as it was: what an operation changes is copied before the first
 * change, and the rest is shared.
 *
 * @throws Problem 409 for a `test` that fails; 422 for a place that is not there, and for what nothing could be made of
 */
export function applyJsonPatch(
  document: unknown,
  operations: readonly Operation[],
  { depth, copied }: JsonPatchLimits,
): unknown {
  const holder: Container = { '': document }
  const draft: Draft = { holder, own: new Set(), depth, room: copied }
  for (const operation of operations) STEPS[operation.op](draft, operation)
  if (!Object.hasOwn(holder, '')) throw problem(422, { detail: 'This patch removes all there is. DELETE does that.' })
  return holder['']
}

const STEPS: Record<Operation['op'], (draft: Draft, operation: Operation) => void> = {
  add(draft, operation) {
    add(draft, operation, operation.value)
  },
  remove(draft, operation) {
    remove(draft, operation, 'path')
  },
  replace(draft, operation) {
    const { parent, token } = open(draft, operation, 'path')
    parent[token] = operation.value
  },
  move(draft, operation) {
    const { from, path } = operation
    if (from.length === path.length && from.every((token, index) => token === path[index]))
      return void read(draft, operation, 'from')
    add(draft, operation, remove(draft, operation, 'from'))
  },
  copy(draft, operation) {
    add(draft, operation, clone(draft, operation, read(draft, operation, 'from')))
  },
  test(draft, operation) {
    if (!isEqual(read(draft, operation, 'path'), operation.value)) throw failure(operation, 'value', CHANGED)
  },
}

const MISSING = 'There is nothing at this place.'
const NO_PARENT = 'There is no object or list to put this in.'
const NO_INDEX = 'There is no such place in the list. Send an index up to its length, or - for its end.'
const CHANGED = 'The value is not what was expected.'

/** A `test` is what a client asks about the state, so it is in conflict with that; any other operation cannot be done. */
function failure(operation: Operation, member: string, detail: string): Error {
  return refusal(operation.op === 'test' ? 409 : 422, [{ source: operation.source, member, detail }])
}

function read({ holder }: Draft, operation: Operation, member: 'path' | 'from'): unknown {
  const value = operation[member].reduce(childOf, holder[''])
  if (value === undefined) throw failure(operation, member, MISSING)
  return value
}

/** The parent of a place, to be written to: all on the way to it is made our own. */
function parentOf({ holder, own }: Draft, pointer: Pointer): { parent: Container; token: string } | undefined {
  const tokens = ['', ...pointer]
  const token = tokens.pop() as string
  let parent = holder
  for (const step of tokens) {
    const child = childOf(parent, step)
    if (!isContainer(child)) return
    const mine = own.has(child) ? child : copyOf(child)
    own.add(mine)
    parent[step] = mine
    parent = mine
  }
  return { parent, token }
}

function copyOf(value: Container): Container {
  return Array.isArray(value) ? (value.slice() as never) : { ...value }
}

/** The parent of a place where there is something. */
function open(draft: Draft, operation: Operation, member: 'path' | 'from'): { parent: Container; token: string } {
  const place = parentOf(draft, operation[member])
  if (!place || childOf(place.parent, place.token) === undefined) throw failure(operation, member, MISSING)
  return place
}

function add(draft: Draft, operation: Operation, value: unknown): void {
  const place = parentOf(draft, operation.path)
  if (!place) throw failure(operation, 'path', NO_PARENT)
  const { parent, token } = place
  if (!Array.isArray(parent)) {
    parent[token] = value
    return
  }
  const index = token === '-' ? parent.length : indexOf(token)
  if (index === undefined || index > parent.length) throw failure(operation, 'path', NO_INDEX)
  parent.splice(index, 0, value)
}

function remove(draft: Draft, operation: Operation, member: 'path' | 'from'): unknown {
  const { parent, token } = open(draft, operation, member)
  const value = parent[token]
  if (Array.isArray(parent)) parent.splice(Number(token), 1)
  else delete parent[token]
  return value
}

/** A few copies of copies are more than any memory holds, so what they add is counted. */
function clone(draft: Draft, operation: Operation, value: unknown, level = 1): unknown {
  draft.room -= typeof value === 'string' ? value.length + 1 : 1
  if (draft.room < 0) throw refusal(422, [{ source: operation.source, detail: 'The copies are too large.' }])
  if (!isContainer(value)) return value
  if (level > draft.depth) throw refusal(422, [{ source: operation.source, detail: 'The copy is nested too deep.' }])
  if (Array.isArray(value)) return value.map(item => clone(draft, operation, item, level + 1))
  const entries = Object.entries(value).map(([name, item]) => {
    draft.room -= name.length
    return [name, clone(draft, operation, item, level + 1)]
  })
  return Object.fromEntries(entries)
}

/** RFC 6902 section 4.6. The order of names does not count. It goes no deeper than `b`, which came in the patch. */
function isEqual(a: unknown, b: unknown): boolean {
  if (!isContainer(a) || !isContainer(b)) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(b)
  if (Object.keys(a).length !== names.length) return false
  return names.every(name => Object.hasOwn(a, name) && isEqual(a[name], b[name]))
}
