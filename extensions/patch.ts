import { BODY_OPTIONS } from '../src/body/body.ts'
import { inTurn } from '../src/conditional/index.ts'
import {
  type AroundContext,
  type Arounds,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  kinds,
  type Next,
  nameOf,
  type Route,
} from '../src/index.ts'
import type { AnySchema, OutputOf } from '../src/schema/index.ts'
import { type Change, type ChangeOptions, changeReader, TYPES } from './patch/change.ts'
import { checkGet, fromGet, loaded, type ReadJson } from './patch/current.ts'
import { noteOf } from './patch/note.ts'
import { prepareResult, type Result } from './patch/result.ts'

export type { PatchType } from './patch/change.ts'

/** `limit`, `depth` and `keys` are those of `body()`. */
export interface PatchOptions<S = undefined, Needs = unknown> extends ChangeOptions {
  /**
   * Gives what the resource is now, as a client may see it: with `test` and `copy` a patch reads all that is in it. It
   * may be a promise; null and undefined are 404. With a schema, what that does not declare is left out.
   * @default what the GET route of the same path gives
   */
  load?: (ctx: AroundContext & Needs) => unknown
  /** Checks and converts the patched value, as `input()` does a body, else 422. */
  schema?: S
}

/** What `patch()` adds to ctx. Without a schema nobody knows what it is. */
export interface Patched<S = undefined> {
  patched: [S] extends [AnySchema] ? OutputOf<S> : unknown
}

const types: Kind = {
  words: "a list of 'json-patch' and 'merge-patch'",
  test: value => Array.isArray(value) && value.length > 0 && value.every(type => TYPES.includes(type)),
}
const OPTIONS = {
  load: kinds.function,
  schema: { words: 'a schema', test: () => true },
  types,
  operations: BODY_OPTIONS.keys,
  limit: BODY_OPTIONS.limit,
  depth: BODY_OPTIONS.depth,
  keys: BODY_OPTIONS.keys,
}

/**
 * Applies the patch that a client sends to what the resource is now, and hands down the outcome, as `ctx.patched`: a
 * JSON Patch (RFC 6902) or a JSON Merge Patch (RFC 7396). The handler stores it.
 *
 * A patch is applied whole or not at all, RFC 5789 section 2: this process patches and guards (`etag()`) each path one
 * at a time, from reading to the end of the handler. Where other processes write too, let the database decide, as with
 * `etag()`. In a transaction give `load`, so that what is read is read there.
 *
 * | answer | RFC 5789 section 2.2 |
 * |---|---|
 * | 400 | no JSON, no list of operations, or one without what it needs: malformed |
 * | 404 | there is nothing to patch |
 * | 409 | a `test` fails: it conflicts with the state |
 * | 413 | more than `limit` bytes |
 * | 415 | another media type; `Accept-Patch` has those that are taken |
 * | 422 | it cannot be applied, because a place is not there, or what it makes does not fit the schema or is too much |
 *
 * The errors name each operation by its number, from 0, and never a value. A `readOnly` property can be seen by a `test`
 * and not be changed; one that is `writeOnly` can be added, so let it be optional in the schema.
 *
 * It stands below what may turn a request away, and needs neither `body()` nor `input({ body })`.
 *
 * @throws TypeError at registration for a wrong option, for what is no PATCH, and where there is neither `load` nor a GET
 * @example
 * app.get('/books/:id', json(), ctx => shelf.get(ctx.params.id))
 * app.patch('/books/:id', json(), patch({ schema: book }), ctx => shelf.put(ctx.params.id, ctx.patched))
 */
export function patch<const S extends AnySchema | undefined = undefined, Needs = unknown>(
  options: PatchOptions<S, Needs> = {},
): Decorator<Patched<S>, BaseContext & Needs> {
  checkOptions('patch', options, OPTIONS)
  const { load, schema, ...reading } = options
  const reader = changeReader(reading)
  let made: Result | undefined
  const prepared = (route?: Route): Result | undefined => {
    if (schema !== undefined) made ??= prepareResult(route ? `${nameOf(route)}: patch` : 'patch', schema)
    return made
  }

  /** In its own place: reads what is to be done, before anything is read that it is to be done to. */
  async function read(ctx: Patching, next: Next<{ patched: never }>): Promise<unknown> {
    ctx[change] ??= await reader.read(ctx)
    return (next as () => unknown)()
  }

  /** Below all that reads the body: does it, in its turn, which ends with the handler. */
  function perform(readCurrent: ReadJson) {
    return (ctx: Patching, next: Next<{ patched: never }>) =>
      inTurn(ctx, ctx.path, async () => {
        const now = await readCurrent(ctx)
        const result = prepared()
        const patched = (ctx[change] as Change)(load && result ? result.shown(now) : now)
        return next({ patched: (result ? await result.check(patched) : patched) as never })
      })
  }

  function register(route: Route): Arounds<{ patched: never }> {
    const where = `${nameOf(route)}: patch()`
    if (route.methods.some(method => method !== 'PATCH'))
      throw new TypeError(`${where} stands on routes of PATCH alone. Give the other methods a route of their own.`)
    if (!load) checkGet(route)
    return { around: read, afterBody: perform(load ? loaded(where, load) : fromGet(where)) }
  }

  /** Both places in one, for a composition that is called by itself: it has no route, and so no GET. */
  function around(ctx: AroundContext, next: Next<{ patched: never }>): unknown {
    if (!load) throw new TypeError('patch: without a route there is no GET. Give patch({ load }).')
    return read(ctx, () => perform(loaded('patch()', load))(ctx, next))
  }

  const note = (route: Route) => {
    prepared(route)
    return noteOf(reader)
  }
  return decorator('patch', around, { note, reads: true, register }) as never
}

const change = Symbol('kolba.patch')
type Patching = AroundContext & { [change]?: Change }
