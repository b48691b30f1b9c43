import { setTimeout } from 'node:timers/promises'
import { currentReader, readTags } from '../../src/conditional/index.ts'
import { type AroundContext, type Awaitable, type Decorator, type Kolba, problem, Reply } from '../../src/index.ts'
import { sendValidators } from './answer.ts'
import type { State } from './guard.ts'
import { type Describe, replyOf, representationOf, type Validators } from './validators.ts'

const describes = Symbol('kolba.etag')

/**
 * How many milliseconds a reply waits for its tag. GET may wait for a connection that the write itself holds until its
 * reply is sent.
 */
const PATIENCE = 1000

type Tagging = (Decorator | Kolba) & { [describes]?: Describe }

/** Lets others see how a decorator, or an app that it is used on, makes its tags. */
export function tagging<T extends object>(it: T, describe: Describe): T {
  return Object.assign(it, { [describes]: describe })
}

/** How the tags of a stack are made, or those of an app; undefined where there are none. */
export function describeOf(app: Kolba, decorators: readonly Decorator[] = []): Describe | undefined {
  return (decorators.findLast(isTagging) as Tagging | undefined)?.[describes] ?? (app as Tagging)[describes]
}

export function isTagging(it: Decorator): boolean {
  return describes in it
}

export interface Source {
  readonly own: Describe
  readonly load: ((ctx: never) => Awaitable<unknown>) | undefined
  /** What stands above on the route of the write. */
  readonly passed: readonly Decorator[]
  /** Does that route answer GET too? */
  readonly answersGet: boolean
}

/** What of a route's writes has to be known: the state before, and the tag that the reply carries. */
export interface Writes {
  before(ctx: AroundContext): Promise<State>
  after(ctx: AroundContext, value: unknown): Promise<unknown>
}

export function writesOf({ own, load, passed, answersGet }: Source): Writes {
  const handler = load && (async (ctx: never) => (await load(ctx)) ?? problem(404))
  const read = currentReader({ passed, isPlace: isTagging, handler })
  const readGet = handler ? currentReader({ passed, isPlace: isTagging }) : read

  function theirs({ app }: AroundContext, path: string): Describe | undefined {
    return describeOf(app, app.match('GET', path).endpoint?.route.decorators)
  }

  /** Tags are compared with those that GET has given, so they are made in its way. */
  async function before(ctx: AroundContext): Promise<State> {
    const describe = theirs(ctx, ctx.path) ?? own
    // A version needs the row and no more; a hash needs what GET would make of it.
    if (load && describe.isVersioned) return ofRow(ctx, describe)
    const reading = await read(ctx, { headers: acceptOf(ctx) })
    if (!reading && load) return ofRow(ctx, describe)
    // What a mounted Koa app has there can be read by nobody else, so that no condition but If-Match: * holds.
    if (!reading) return { exists: answersGet }
    const { status } = reading
    if (status === 404 || status === 410) return { exists: false }
    // What GET refuses, a write that is compared with it refuses too.
    if (status >= 400) throw problem(status)
    return { exists: true, ...describe(reading.ctx, reading.value) }
  }

  async function ofRow(ctx: AroundContext, describe: Describe): Promise<State> {
    const row = await orMissing(ctx, () => load?.(ctx as never))
    return row === null || row === undefined
      ? { exists: false }
      : { exists: true, ...describe(ctx, new Reply(200, row)) }
  }

  /** Gives the reply its tag. What was written is written: a tag that cannot be had is no reason to say otherwise. */
  async function after(ctx: AroundContext, value: unknown): Promise<unknown> {
    const late = new AbortController()
    const giveUp = setTimeout(PATIENCE, undefined, { signal: late.signal }).catch(() => undefined)
    try {
      const validators = await Promise.race([tagFor(ctx, value), giveUp])
      if (validators) sendValidators(ctx, validators)
    } catch (error) {
      ctx.app.emit('error', error, ctx)
    } finally {
      late.abort()
    }
    return value
  }

  /**
   * The tag of what the reply holds. A hash is sent where GET gives the very same now: whoever gets the tag of another
   * state than it has seen would overwrite that unseen.
   */
  async function tagFor(ctx: AroundContext, value: unknown): Promise<Validators | undefined> {
    const { status, headers } = replyOf(ctx, value)
    if (value instanceof Error || status > 299 || ctx.method === 'DELETE') return
    // RFC 9110 section 15.3.2: a 201 is about what its Location leads to, where it has one.
    const path = (status === 201 && pathOf(headers, ctx.response.get('Location'))) || ctx.path
    const describe = theirs(ctx, path) ?? own
    const validators = describe(ctx, value)
    if (!validators.tag || describe.isVersioned) return validators.tag && validators
    const reading = await readGet(ctx, { path })
    const now = reading && reading.status < 300 && describe(reading.ctx, reading.value).tag
    return now && now.opaque === validators.tag.opaque ? validators : undefined
  }

  return { before, after }
}

/** A row whose reading throws, or gives, what is answered with 404 or 410 is not there. */
async function orMissing(ctx: AroundContext, load: () => unknown): Promise<unknown> {
  try {
    const row = await load()
    if (row instanceof Error) throw row
    return row
  } catch (error) {
    const status = await ctx.app.inside.statusOf(ctx, error)
    if (status !== 404 && status !== 410) throw error
    return undefined
  }
}

/** The representation whose tag the client has. */
function acceptOf({ headers }: AroundContext): { accept?: string } {
  const tags = readTags(headers['if-match'] ?? headers['if-none-match'])
  const type = typeof tags === 'object' && tags[0] && representationOf(tags[0])
  return type ? { accept: type } : {}
}

function pathOf(headers: Reply['headers'], set: string): string | undefined {
  const name = Object.keys(headers).find(name => name.toLowerCase() === 'location')
  const location = name ? String(headers[name]) : set
  const base = 'http://localhost'
  return location && URL.canParse(location, base) ? new URL(location, base).pathname : undefined
}
