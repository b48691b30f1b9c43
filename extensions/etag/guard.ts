import {
  type EntityTag,
  evaluate,
  inTurn,
  malformed,
  type Preconditions,
  readPreconditions,
  type Tags,
  writeTag,
} from '../../src/conditional/index.ts'
import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  isPromise,
  type Next,
  problem,
  when,
} from '../../src/index.ts'
import { stateOf, type Validators } from './validators.ts'

/** What a resource is before it is written. */
export interface State extends Validators {
  readonly exists: boolean
}

/** What a guarded handler finds on ctx. */
export interface Guarded<V = string> {
  /** The version that was read before the write; of a resource without one, its tag. Undefined where it does not exist. */
  version: V | undefined
  /** Answers 412 where somebody else has written since that version was read, or 409 to a client that made no condition. */
  stale(): never
}

const CHANGED = 'It has changed since you read it. GET it again, and send its ETag as If-Match.'
const EXISTS = 'It is there already. GET it, and send its ETag as If-Match to change it.'
const MISSING = 'There is nothing here.'
const TO_MAKE = ' Send If-None-Match: * to make it.'
const UNREADABLE = 'is no list of entity tags. Send them as the ETag header had them, with their quotes, or *.'

const ended = Symbol('ended')
type Ending = AroundContext & { [ended]?: Promise<void> }

/**
 * Runs what stands below to its end, which is the end of the turn that `guard` takes there: a transaction that is
 * committed on the way up is committed before anybody else reads.
 */
export function toEnd(ctx: Ending, next: () => unknown): unknown {
  let end = () => {}
  ctx[ended] = new Promise(resolve => {
    end = resolve
  })
  try {
    const value = next()
    if (isPromise(value)) value.then(end, end)
    else end()
    return value
  } catch (error) {
    end()
    throw error
  }
}

/**
 * Runs a write in its turn, against what the resource is at that time. RFC 9110 section 13.2.1: when the request has been
 * found good, and just before its method is performed.
 */
export function guard(
  ctx: Ending,
  next: Next<Guarded<never>>,
  read: (ctx: AroundContext) => Awaitable<State>,
  demanded?: Demand,
): unknown {
  const run = () =>
    when(read(ctx), state => {
      const preconditions = readPreconditions(ctx.headers, ctx.req.rawHeaders)
      // A date is no condition where there is none to compare it with.
      if (demanded) demand(ctx, { isDated: demanded.isDated && state.lastModified !== undefined })
      check(ctx.method, preconditions, state)
      // Koa has ctx.stale too: a boolean, true for every write, and so is a function where one asks for no more.
      Object.defineProperty(ctx, 'stale', { value: () => refuse(isConditional(preconditions)), configurable: true })
      const { version = state.tag && writeTag(state.tag) } = state
      return next({ version } as Guarded<never>)
    })
  return inTurn(ctx, ctx.path, run, ctx[ended])
}

/** @throws the 412 of a precondition that is false, or the 400 of one that nobody can read. */
function check(method: string, preconditions: Preconditions, { exists, tag, lastModified, isOfVersion }: State): void {
  const odd = malformed(preconditions)
  if (odd) throw problem(400, { detail: `${odd} ${UNREADABLE}` })
  // A version is the same in all representations, so the tag of any of them will do.
  const asked = isOfVersion ? { ...preconditions, ...statesOf(preconditions) } : preconditions
  const current = { exists, tag: isOfVersion ? stateOf(tag) : tag, lastModified }
  // Whatever the method is called, it writes.
  if (evaluate('PUT', asked, current) === 'perform') return
  if (!exists) throw problem(412, { detail: method === 'PUT' ? MISSING + TO_MAKE : MISSING })
  throw problem(412, { detail: preconditions.ifNoneMatch ? EXISTS : CHANGED })
}

function statesOf({ ifMatch, ifNoneMatch }: Preconditions): Preconditions {
  const states = (tags: Tags | undefined) => (typeof tags === 'object' ? (tags as EntityTag[]).map(stateOf) : tags)
  return { ifMatch: states(ifMatch), ifNoneMatch: states(ifNoneMatch) }
}

/** If-Modified-Since is none for a write: RFC 9110 section 13.1.3. */
function isConditional({ ifMatch, ifNoneMatch, ifUnmodifiedSince }: Preconditions): boolean {
  return [ifMatch, ifNoneMatch, ifUnmodifiedSince].some(it => it !== undefined)
}

function refuse(isConditional: boolean): never {
  if (isConditional) throw problem(412, { detail: CHANGED })
  throw problem(409, { detail: 'It was changed by somebody else at the same time. GET it again, and try once more.' })
}

/** What a write has to say. */
export interface Demand {
  /** Does a date do? */
  readonly isDated: boolean
}

/** 428 (RFC 6585 section 3): a write that does not say what it is meant to change may undo another's. */
export function demand(ctx: BaseContext, { isDated }: Demand): void {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = readPreconditions(ctx.headers, ctx.req.rawHeaders)
  if (ifMatch !== undefined || ifNoneMatch === '*' || (isDated && ifUnmodifiedSince)) return
  const orNew = ctx.method === 'PUT' ? ', or If-None-Match: * to make what is not there yet' : ''
  const orDate = isDated ? ', its Last-Modified as If-Unmodified-Since' : ''
  throw problem(428, {
    detail: `Say what you mean to change: send the ETag that GET gave as If-Match${orDate}${orNew}.`,
  })
}
