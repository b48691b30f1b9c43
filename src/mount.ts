import type Koa from 'koa'
import { type Around, decorator } from './decorator.ts'
import { composed, composeOf, lift, type Middleware } from './lift.ts'
import { depth, readPath } from './path.ts'
import { problem } from './problem.ts'
import { isAnswered } from './reply.ts'
import { type Entry, METHODS, nameOf, type Route } from './route.ts'

/** What a kolba app is to the one that it is mounted on. */
interface Inner extends Koa {
  readonly through: Middleware
  subscribe(listener: (entry: Entry) => void): void
}

const REST = '{/*rest}'
const FIXED = 'Mount it once for each length, without braces and wildcards.'

/**
 * Mounts an app. The routes of a kolba app become routes here, each inside that app's own middleware, hooks and error
 * handlers; whatever else is asked for under the prefix goes to that middleware, as everything does with a Koa app.
 */
export function mountApp(app: Koa | Inner, add: (entry: Entry) => void): void {
  const isKolba = 'subscribe' in app
  const through = isKolba ? app.through : composed(app, composeOf(app))
  const frame = (path: string) =>
    decorator('app', lift(through), { register: route => shortened(prefixOf(route, path), through) })
  if (isKolba) app.subscribe(entry => add({ ...entry, decorators: [frame(entry.path), ...entry.decorators] }))
  add({
    methods: METHODS,
    path: REST,
    name: '',
    known: [],
    decorators: [orNothing, frame(REST)],
    handler: () => undefined,
    fallback: () => !isKolba || app.middleware.length > 1,
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

/** Shows an app the path without its prefix; what stands below, and above, sees the whole. */
function shortened(segments: number, through: Middleware): Around {
  return lift(async (ctx, next) => {
    const whole = ctx.path
    const short = `/${whole
      .split('/')
      .slice(segments + 1)
      .join('/')}`
    ctx.path = short
    try {
      await through(ctx, async () => {
        ctx.path = whole
        await next()
        ctx.path = short
      })
    } finally {
      ctx.path = whole
    }
  })
}
