import type Koa from 'koa'
import type { BaseContext } from './context.ts'
import { type Around, decorator } from './decorator.ts'
import { composed, composeOf, lift, type Middleware } from './lift.ts'
import { depth } from './path.ts'
import { problem } from './problem.ts'
import { isAnswered } from './reply.ts'
import { type Entry, METHODS } from './route.ts'

/** What a kolba app is to the one that it is mounted on. */
interface Inner extends Koa {
  readonly through: Middleware
  subscribe(listener: (entry: Entry) => void): void
}

const REST = '{/*rest}'

/**
 * Mounts an app. The routes of a kolba app become routes here, each inside that app's own middleware, hooks and error
 * handlers; whatever else is asked for under the prefix goes to that middleware, as everything does with a Koa app.
 */
export function mountApp(app: Koa | Inner, add: (entry: Entry) => void): void {
  const isKolba = 'subscribe' in app
  const through = isKolba ? app.through : composed(app, composeOf(app))
  const frame = (path: string) =>
    decorator('app', lift(through), { register: route => shortened(depth(route.path) - depth(path), through) })
  if (isKolba) app.subscribe(entry => add({ ...entry, decorators: [frame(entry.path), ...entry.decorators] }))
  add({
    methods: METHODS,
    path: REST,
    name: '',
    known: [],
    decorators: [frame(REST)],
    handler: nothingHere,
    fallback: () => !isKolba || app.middleware.length > 1,
  })
}

/** What stands below the middleware of a mounted app where no route fits. */
function nothingHere(ctx: BaseContext): void {
  if (!isAnswered(ctx)) throw problem(404)
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
