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
import { type AroundContext, type Awaitable, type BaseContext, type Next, problem, when } from '../../src/index.ts'
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
const MISSING = 'There is nothing here. Send If-None-Match: * to make it.'
const UNREADABLE = 'is no list of entity tags. Send them as the ETag header had them, with their quotes, or *.'

/**
 * Runs a write in its turn, against what the resource is at that time. RFC 9110 section 13.2.1: when the request has been
 * found good, and just before its method is performed.
 */
export function guard(
  ctx: AroundContext,
  next: Next<Guarded<never>>,
  read: (ctx: AroundContext) => Awaitable<State>,
): unknown {
  return inTurn(ctx, ctx.path, () =>
    when(read(ctx), state => {
      const preconditions = readPreconditions(ctx.headers, ctx.req.rawHeaders)
      check(ctx.method, preconditions, state)
      // Koa has ctx.stale too: a boolean, true for every write, and so is a function where one asks for no more.
      Object.defineProperty(ctx, 'stale', { value: () => refuse(isConditional(preconditions)), configurable: true })
      const { version = state.tag && writeTag(state.tag) } = state
      return next({ version } as Guarded<never>)
    }),
  )
}

/** @throws the 412 of a precondition that is false, or the 400 of one that nobody can read. */
function check(method: string, preconditions: Preconditions, { exists, tag, lastModified, version }: State): void {
  const odd = malformed(preconditions)
  if (odd) throw problem(400, { detail: `${odd} ${UNREADABLE}` })
  // A version is the same in all representations, so the tag of any of them will do.
  const isVersioned = version !== undefined
  const asked = isVersioned ? { ...preconditions, ...statesOf(preconditions) } : preconditions
  const current = { exists, tag: isVersioned ? stateOf(tag) : tag, lastModified }
  if (evaluate(method, asked, current) === 'perform') return
  if (!exists) throw problem(412, { detail: MISSING })
  throw problem(412, { detail: preconditions.ifNoneMatch ? EXISTS : CHANGED })
}

function statesOf({ ifMatch, ifNoneMatch }: Preconditions): Preconditions {
  const states = (tags: Tags | undefined) => (typeof tags === 'object' ? (tags as EntityTag[]).map(stateOf) : tags)
  return { ifMatch: states(ifMatch), ifNoneMatch: states(ifNoneMatch) }
}

function isConditional(preconditions: Preconditions): boolean {
  return Object.values(preconditions).some(it => it !== undefined)
}

function refuse(isConditional: boolean): never {
  if (isConditional) throw problem(412, { detail: CHANGED })
  throw problem(409, { detail: 'It was changed by somebody else at the same time. GET it again, and try once more.' })
}

/** 428 (RFC 6585 section 3): a write that does not say what it is meant to change may undo another's. */
export function demand(ctx: BaseContext, isDated: boolean): void {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = readPreconditions(ctx.headers, ctx.req.rawHeaders)
  if (ifMatch !== undefined || ifNoneMatch === '*' || (isDated && ifUnmodifiedSince)) return
  const orNew = ctx.method === 'PUT' ? ', or If-None-Match: * to make what is not there yet' : ''
  const orDate = isDated ? ', its Last-Modified as If-Unmodified-Since' : ''
  throw problem(428, {
    detail: `Say what you mean to change: send the ETag that GET gave as If-Match${orDate}${orNew}.`,
  })
}
