import { Problem, Reply, toError } from '../../../src/detached/index.ts'
import { fromText, toText } from '../stored.ts'

// What goes into a thread and comes out of it goes as text, as jobs are stored: so a handler is given the same there as
// anywhere else, bytes and dates included, and what cannot cross is refused with its place. What reads this in a thread
// loads no app.

/** What came of a handler, in a form that crosses. */
export interface Outcome {
  readonly kind: 'value' | 'reply' | 'error' | 'thrown'
  readonly text: string
}

/**
 * What a handler has given.
 *
 * @throws TypeError, which no repetition mends, for what is no plain data
 */
export function outcomeOf(where: string, value: unknown): Outcome {
  // As anywhere else, an error that is returned is no answer.
  if (value instanceof Error) return thrownOf(value)
  const isReply = value instanceof Reply
  const its = isReply ? { status: value.status, headers: value.headers, body: value.body } : value
  const advice = 'which does not leave its thread. Return plain data, or reply(status, data).'
  return { kind: isReply ? 'reply' : 'value', text: crossing(where, 'the result', its, advice) }
}

/** What a handler has thrown: an error with its name, message, stack, cause and what it says of itself, or whatever it is. */
export function thrownOf(thrown: unknown): Outcome {
  if (isError(thrown)) return { kind: 'error', text: toText(describe(thrown, 0), 'the error') }
  return isPlain(thrown) ? { kind: 'thrown', text: toText(thrown, '') } : thrownOf(toError(thrown))
}

/**
 * What a handler has given, on the other side.
 *
 * @throws what it has thrown
 */
export function valueFrom({ kind, text }: Outcome): unknown {
  const its = fromText(text)
  if (kind === 'value') return its
  if (kind === 'thrown') throw its
  if (kind === 'error') throw restored(its as Description)
  const { status, headers, body } = its as Reply
  return new Reply(status, body, headers)
}

/**
 * Plain data as text.
 *
 * @throws TypeError for anything else, which no repetition mends
 */
export function crossing(where: string, name: string, value: unknown, advice: string): string {
  try {
    return toText(value, name)
  } catch (error) {
    throw Object.assign(new TypeError(`${where}: ${(error as Error).message}, ${advice}`), { retry: false })
  }
}

interface Description {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** The class, as far as both sides have the same. */
  readonly type: keyof typeof TYPES | 'Problem'
  /** What stands on it, as far as it is plain data. */
  readonly fields: object
  readonly cause: Description | undefined
}

const TYPES = { TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError, Error }
/** They are looked at wherever they come from; a class may have them as getters. */
const TELLING = ['status', 'statusCode', 'expose', 'headers', 'retry']
const OWN = new Set(['name', 'message', 'stack', 'cause'])
/** Causes of causes. */
const DEEPEST = 8

function describe(error: Error, depth: number): Description {
  const { name, message, stack, cause } = error
  const names = [...new Set([...Object.keys(error), ...TELLING])].filter(it => !OWN.has(it))
  const all = names.map(it => [it, (error as unknown as Record<string, unknown>)[it]] as const)
  return {
    name: String(name),
    message: String(message),
    stack: typeof stack === 'string' ? stack : undefined,
    type: typeOf(error),
    fields: Object.fromEntries(all.filter(([, value]) => value !== undefined && isPlain(value))),
    cause: isError(cause) && depth < DEEPEST ? describe(cause, depth + 1) : undefined,
  }
}

function typeOf(error: Error): Description['type'] {
  if (error instanceof Problem) return 'Problem'
  const names = Object.keys(TYPES) as (keyof typeof TYPES)[]
  return names.find(it => error instanceof TYPES[it]) ?? 'Error'
}

function restored({ type, fields, cause, ...rest }: Description): Error {
  const error = type === 'Problem' ? new Problem(500) : new TYPES[type]()
  for (const [name, value] of Object.entries({ ...rest, ...(cause && { cause: restored(cause) }) }))
    Object.defineProperty(error, name, { value, configurable: true, writable: true })
  return Object.assign(error, fields)
}

function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

function isPlain(value: unknown): boolean {
  try {
    toText(value, '')
    return true
  } catch {
    return false
  }
}
