import Koa from 'koa'
import type { Kolba } from './app.ts'
import type { Blueprint } from './blueprint.ts'
import type { BaseContext } from './context.ts'
import { type Around, decorator } from './decorator.ts'
import type { Lifecycle } from './lifecycle.ts'
import { composed, composeOf, lift, type Middleware } from './lift.ts'
import { depth, readPath } from './path.ts'
import { type Problem, problem } from './problem.ts'
import type { Refusal } from './rescue.ts'
import { isAnswered } from './respond.ts'
import { type Entry, METHODS, nameOf, type Route } from './route.ts'

/** What a kolba app lets the app see that it is mounted on. */
export interface Inside {
  readonly routes: Blueprint
  readonly life: Lifecycle
  /** Where it is mounted, the first time. */
  at?: { readonly app: Kolba; readonly prefix: string }
  /** Runs what stands below inside the app's middleware, hooks and error handlers. */
  readonly through: Middleware
  /** Is there anything that answers where no route does: middleware, or an app mounted there? */
  hasRest(): boolean
  /** Lets the apps that are mounted there answer. */
  rest(ctx: BaseContext): Promise<unknown>
  /** The status that an error would be answered with, by `onError` or of itself. */
  statusOf(ctx: BaseContext, thrown: unknown): Promise<number>
  /** The problem that an error comes to, and the error to be logged; undefined where `onError` has answered on ctx. */
  problemOf(ctx: BaseContext, thrown: unknown): Promise<Refusal | undefined>
  /** The document of a problem, to be given as a value and not logged; undefined where `onError` or debug says more. */
  documentOf(ctx: BaseContext, refusal: Problem): string | undefined
  /** Emits an error that no answer shows, for the log. */
  tell(error: Error, ctx: BaseContext): void
}

/** The prefixes under which an app is mounted, from the outermost, to tell it from all others: none where it is mounted nowhere. */
export function prefixesOf({ inside: { at } }: Kolba): readonly string[] {
  return at ? [...prefixesOf(at.app), at.prefix] : []
}

/** An app learns where it is mounted, and whether it is the second there, or the third. */
export function tellWhere(inner: Inside, app: Kolba, path: string, others: number): void {
  const prefix = path.slice(0, -REST.length) || '/'
  inner.at ??= { app, prefix: others > 0 ? `${prefix} (${others + 1})` : prefix }
}

/** What a kolba app lets others see, undefined for another Koa app. */
export function insideOf(app: object): Inside | undefined {
  return app instanceof Koa ? (app as { inside?: Inside }).inside : undefined
}

const REST = '{/*rest}'
const FIXED = 'Mount it once for each length, without braces and wildcards.'

/**
 * Mounts an app. The routes of a kolba app become routes here, each inside that app's own middleware, hooks and error
 * handlers; whatever else is asked for under the prefix goes to that middleware, as everything does with a Koa app.
 */
export function mountApp(app: Koa, add: (entry: Entry) => void): void {
  const inside = insideOf(app)
  const through = inside?.through ?? composed(app, composeOf(app))
  const frame = (path: string) =>
    decorator('app', lift(through), { register: route => shortened(prefixOf(route, path), through, path === REST) })
  inside?.routes.subscribe(entry => {
    // What is mounted there without routes is asked by that app itself, inside its middleware.
    if (!entry.rest) add({ ...entry, decorators: [frame(entry.path), ...entry.decorators] })
  })
  add({
    methods: METHODS,
    path: REST,
    name: '',
    known: [],
    decorators: [orNothing, frame(REST)],
    handler: async (ctx: BaseContext) => void (await inside?.rest(ctx)),
    rest: { app, isOpen: () => inside?.hasRest() ?? true },
  })
}

/** Where a mounted app has not answered, its middleware done, nothing is here: no value for the stack above to take up. */
const orNothing = decorator('app', async (ctx, next) => {
  const value = await next()
  if (!isAnswered(ctx)) throw problem(404)
  return value
})

/**
 * How many segments stand before a path of the app.
 *
 * @throws TypeError where that is not the same for every request.
 */
function prefixOf(route: Route, path: string): number {
  const prefix = route.path.slice(0, path === '/' ? undefined : -path.length)
  const { optional, wild } = readPath(nameOf(route), prefix || '/')
  if (optional.length + wild.length > 0 || prefix.includes('{'))
    throw new TypeError(`${nameOf(route)}: an app is mounted under ${prefix}, whose length varies. ${FIXED}`)
  return depth(prefix)
}

/** Shows an app the path without its prefix; what stands above, and a route below, sees the whole. */
function shortened(segments: number, through: Middleware, isRest: boolean): Around {
  return lift(async (ctx, next) => {
    const whole = ctx.path
    const short = `/${whole
      .split('/')
      .slice(segments + 1)
      .join('/')}`
    ctx.path = short
    try {
      await through(ctx, async () => {
        if (!isRest) ctx.path = whole
        await next()
        ctx.path = short
      })
    } finally {
      ctx.path = whole
    }
  })
}
