import { type Problem, problem } from '../../src/index.ts'
import { childOf, isContainer, type Pointer, readPointer } from './pointer.ts'

/** An operation of a JSON Patch, RFC 6902 section 4, as it was found to be well-formed. */
export interface Operation {
  readonly op: Op
  readonly path: Pointer
  /** Where `move` and `copy` take the value from. */
  readonly from: Pointer
  /** What `add`, `replace` and `test` have. */
  readonly value: unknown
  /** The operation as it came, and its place in the list, for the errors. */
  readonly source: Source
}

/** The operations, and what each needs beside a path. */
const MEMBERS = {
  add: 'value',
  remove: undefined,
  replace: 'value',
  move: 'from',
  copy: 'from',
  test: 'value',
} as const
type Op = keyof typeof MEMBERS

interface Source {
  readonly index: number
  readonly value: unknown
}

interface Fault {
  readonly source: Source
  /** The member of the operation that is to blame; undefined for all of it. */
  readonly member?: string | undefined
  readonly detail: string
}

const NO_POINTER = 'Expected a JSON pointer: empty, or names that each have a slash in front.'

/**
 * Reads a JSON Patch, whatever is in it. RFC 5789 section 2.2 calls one that is not properly formatted malformed.
 *
 * @throws Problem 400 with all operations that are malformed, 422 for more of them than are taken
 */
export function readOperations(document: unknown, limit: number): readonly Operation[] {
  if (!Array.isArray(document))
    throw problem(400, { detail: 'The body is no JSON Patch. Send a list of operations (RFC 6902).' })
  if (document.length > limit) throw problem(422, { detail: `Send at most ${limit} operations at a time.` })
  const read = document.map((value, index) => readOperation({ index, value }))
  const faults = read.filter(it => 'detail' in it)
  if (faults.length > 0) throw refusal(400, faults)
  return read as Operation[]
}

function readOperation(source: Source): Operation | Fault {
  const { value: given } = source
  if (!isContainer(given) || Array.isArray(given))
    return { source, detail: 'Expected an operation: an object with op and path.' }
  const op = childOf(given, 'op')
  if (!isOp(op)) return { source, member: 'op', detail: `Expected one of ${Object.keys(MEMBERS).join(', ')}.` }
  const needed = MEMBERS[op]
  const path = readPointer(childOf(given, 'path'))
  if (!path) return { source, member: 'path', detail: NO_POINTER }
  const from = needed === 'from' ? readPointer(childOf(given, 'from')) : []
  if (!from) return { source, member: 'from', detail: NO_POINTER }
  const value = childOf(given, 'value')
  if (needed === 'value' && value === undefined) return { source, member: 'value', detail: 'This is required.' }
  const odd = [...path, ...from].includes('__proto__')
  if (odd) return { source, member: path.includes('__proto__') ? 'path' : 'from', detail: 'It has the name __proto__.' }
  if (op === 'move' && from.length < path.length && from.every((token, index) => token === path[index]))
    return { source, member: 'path', detail: 'Nothing can be moved into itself.' }
  return { op, path, from, value, source }
}

function isOp(op: unknown): op is Op {
  return typeof op === 'string' && Object.hasOwn(MEMBERS, op)
}

/** One fault of an operation, or several, as a problem that says where they are and not what the values were. */
export function refusal(status: number, faults: readonly Fault[]): Problem {
  const errors = faults.map(({ source: { index, value }, member, detail }) => {
    const op = childOf(value, 'op')
    const path = childOf(value, 'path')
    return {
      in: 'body',
      pointer: `#/${index}${member ? `/${member}` : ''}`,
      operation: index,
      ...(isOp(op) && { op }),
      ...(typeof path === 'string' && path.length <= 256 && { path }),
      detail,
    }
  })
  const [{ operation, op, path, detail }] = errors as [(typeof errors)[0]]
  const what = [op, path].filter(Boolean).join(' ')
  const only = `Operation ${operation}${what && ` (${what})`}: ${detail}`
  return problem(status, {
    detail: errors.length === 1 ? only : `${errors.length} operations are malformed. See errors.`,
    errors,
  })
}
