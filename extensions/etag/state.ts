import { currentReader, readTags } from '../../src/conditional/index.ts'
import { type AroundContext, type Awaitable, type Decorator, type Kolba, problem, Reply } from '../../src/index.ts'
import { sendValidators } from './answer.ts'
import type { State } from './guard.ts'
import { type Describe, replyOf, representationOf } from './validators.ts'

const describes = Symbol('kolba.etag')

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
}

/** What of a route's writes has to be known: the state before, and the tag that the reply carries. */
export interface Writes {
  before(ctx: AroundContext): Promise<State>
  after(ctx: AroundContext, value: unknown): Promise<unknown>
}

export function writesOf({ own, load, passed }: Source): Writes {
  const handler = load && (async (ctx: never) => (await load(ctx)) ?? problem(404))
  const read = currentReader({ passed, isPlace: isTagging, handler })

  function theirs({ app }: AroundContext, path: string): Describe | undefined {
    return describeOf(app, app.match('GET', path).endpoint?.route.decorators)
  }

  /** Tags are compared with those that GET has given, so they are made in its way. */
  async function before(ctx: AroundContext): Promise<State> {
    const describe = theirs(ctx, ctx.path) ?? own
    // A version needs the row and no more; a hash needs what GET would make of it.
    if (load && describe.isVersioned) return ofRow(ctx, describe)
    const reading = await read(ctx, { headers: acceptOf(ctx) })
    if (!reading) return load ? ofRow(ctx, describe) : { exists: false }
    if (reading.status > 299) return { exists: false }
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
    try {
      await carry(ctx, value)
    } catch (error) {
      ctx.app.emit('error', error, ctx)
    }
    return value
  }

  /**
   * The tag of what the reply holds. A hash is sent where GET gives the very same now: whoever gets the tag of another
   * state than it has seen would overwrite that unseen.
   */
  async function carry(ctx: AroundContext, value: unknown): Promise<void> {
    const { status, headers } = replyOf(ctx, value)
    if (value instanceof Error || status > 299 || ctx.method === 'DELETE') return
    // RFC 9110 section 15.3.2: a 201 is about what its Location leads to, where it has one.
    const path = (status === 201 && pathOf(headers, ctx.response.get('Location'))) || ctx.path
    const describe = theirs(ctx, path) ?? own
    const validators = describe(ctx, value)
    if (!validators.tag) return
    if (describe.isVersioned) return sendValidators(ctx, validators)
    const reading = await read(ctx, { path })
    const now = reading && reading.status < 300 && describe(reading.ctx, reading.value).tag
    if (now && now.opaque === validators.tag.opaque) sendValidators(ctx, validators)
  }

  return { before, after }
}

/** A row whose reading throws what is answered with 404 or 410 is not there. */
async function orMissing(ctx: AroundContext, load: () => unknown): Promise<unknown> {
  try {
    return await load()
  } catch (error) {
    const status = await ctx.app.inside.statusOf(ctx, error)
    if (status !== 404 && status !== 410) throw error
    return undefined
  }
}

/** The representation whose tag the client has. */
function acceptOf({ headers }: AroundContext): { accept?: string } {
  const tags = readTags(headers['if-match'])
  const type = typeof tags === 'object' && tags[0] && representationOf(tags[0])
  return type ? { accept: type } : {}
}

function pathOf(headers: Reply['headers'], set: string): string | undefined {
  const name = Object.keys(headers).find(name => name.toLowerCase() === 'location')
  const location = name ? String(headers[name]) : set
  const base = 'http://localhost'
  return location && URL.canParse(location, base) ? new URL(location, base).pathname : undefined
}
