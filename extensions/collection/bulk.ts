import { BODY_OPTIONS, type BodyOptions, bodyReader } from '../../src/body/body.ts'
import {
  type AnySchema,
  type AroundContext,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  kinds,
  type Next,
  nameOf,
  type OutputOf,
  problem,
  type Route,
} from '../../src/index.ts'
import { type Items, prepareItems } from './bulk-items.ts'
import { noteOf } from './bulk-note.ts'
import { runAll } from './bulk-run.ts'

export type { BulkResult } from './bulk-run.ts'

/** How the body is read: as with `body()`, as JSON. */
export interface BulkOptions<S extends AnySchema = AnySchema> extends Omit<BodyOptions, 'types' | 'optional'> {
  /** What each item is, as with `input()`. @default anything */
  item?: S
  /** Items of a request at most, else 413. @default 100 */
  max?: number
  /** All items or none of them. @default false */
  atomic?: boolean
}

/** What `bulk()` adds to ctx: the item as the body, and its place in the list. */
export interface BulkItem<T = unknown> {
  input: { body: T }
  index: number
}

/**
 * Takes a list where the handler takes one: the handler runs once for each item, one after another, with the item as
 * `ctx.input.body` and its place as `ctx.index`.
 *
 * The answer is a list of `{ status, location, body }` or `{ status, problem }`, in the order of the items, each what the
 * item would have been answered with alone. Its own status is that of the items where all are 200, 201 or 202 alike, and
 * else 207. That is the Multi-Status of RFC 4918 section 13, with a JSON body in place of WebDAV's XML. An empty list is
 * 200 with an empty list. Headers that an item sets, beside its Location, are not sent.
 *
 * Each item is checked and converted by the schema `item`, as `input()` does it: a 422 of its own, with pointers into
 * the whole list. An error of one item leaves the others alone; a 5xx says nothing of what happened inside, and the log
 * does. Errors that `app.onError` maps are mapped; those that only a mounted app maps are not.
 *
 * With `atomic` all items are checked before the first runs, and the first that fails ends the request with its own
 * problem and its `index`, by throwing: so a transaction above, `inject({ tx })`, rolls back what the others did.
 *
 * What is no list is 400, more than `max` items 413 (RFC 9110 section 15.5.14), and the body is read as by `body()`. It
 * stands below `json()`; what stands below it runs once for each item, so an `inject({ tx })` there gives each its own
 * transaction, and one above gives all of them one.
 *
 * @throws TypeError for a wrong option, and on routes of GET and HEAD
 * @example
 * app.post('/books', json(), inject({ tx }), bulk({ item: book, atomic: true }), async ctx => {
 *   const row = await insert(ctx.tx, ctx.input.body)
 *   return created(ctx.urlFor(showBook, { id: row.id }), row)
 * })
 */
export function bulk<const S extends AnySchema = AnySchema>(
  options: BulkOptions<S> = {},
): Decorator<BulkItem<OutputOf<S>>> {
  const { types: _, optional: __, ...known } = BODY_OPTIONS
  const schema: Kind = { words: 'a schema', test: () => true }
  checkOptions('bulk', options, { ...known, item: schema, max: known.keys, atomic: kinds.flag })
  const { item, max = 100, atomic = false, ...reading } = options
  const reader = bodyReader('bulk', { ...reading, types: ['json'] })
  let made: Items | undefined
  const itemsOf = (route?: Route): Items => {
    made ??= prepareItems(route ? `${nameOf(route)}: bulk item` : 'bulk item', item)
    return made
  }

  /** The list, with what is wrong with all of it, before anything is done; where all count, with any one of them. */
  const read = async (ctx: AroundContext): Promise<readonly unknown[]> => {
    const input = inputOf(ctx)
    const list = 'body' in input ? input.body : (await reader.read(ctx)).value
    if (!Array.isArray(list)) throw problem(400, { detail: 'The body is no list. Send one, [...].' })
    if (list.length > max)
      throw problem(413, { detail: `There are ${list.length} items. Send at most ${max} at a time.` })
    return atomic ? itemsOf().checkAll(list) : list
  }
  const run = (ctx: AroundContext, next: Next<object>, list: readonly unknown[]) =>
    runAll(ctx, list, atomic, async (item, index) => {
      const body = atomic ? item : await itemsOf().check(item, index)
      return next({ input: { ...inputOf(ctx), body }, index })
    })
  const around = async (ctx: AroundContext, next: Next<object>) => run(ctx, next, await read(ctx))

  return decorator<object>('bulk', around, {
    reads: true,
    note: route => noteOf(reader.note, itemsOf(route).json, max, atomic),
    register(route) {
      if (route.methods.some(method => method === 'GET' || method === 'HEAD'))
        throw new TypeError(
          `${nameOf(route)}: bulk() takes a list from the body, which GET has none of. Put it on POST.`,
        )
      itemsOf(route)
      return {
        around: async (ctx, next) => next({ input: { ...inputOf(ctx), body: await read(ctx) } }),
        // A precondition is of the whole request, and is looked at before the first item changes anything.
        afterBody: (ctx, next) => run(ctx, next, inputOf(ctx).body as readonly unknown[]),
      }
    },
  }) as Decorator<BulkItem<OutputOf<S>>>
}

function inputOf(ctx: BaseContext): { body?: unknown } {
  return (ctx as { input?: object }).input ?? {}
}
