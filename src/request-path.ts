import { Readable } from 'node:stream'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'
import { guardOf, plainPathOf } from './guard.ts'
import { type Hook, Hooks } from './hooks.ts'
import { guestOf } from './koa.ts'
import type { Middleware } from './lift.ts'
import { Mounted } from './mounted.ts'
import { toError } from './problem.ts'
import { Rescue } from './rescue.ts'
import { give, isAnswered, isStatusSet, isUnanswered } from './respond.ts'
import { nameOf } from './route.ts'
import { enter, type Match, RouteTable } from './router.ts'
import { isOwn, isSharedWithAnother, routed, type Shaped, takeBack, target, targetPath } from './shaped.ts'
import { firstByte } from './streams.ts'
import { abandon, leave, waitFor } from './waiting.ts'
import { isPromise } from './when.ts'
import { write } from './write.ts'
import { isReady, writeAtOnce } from './write-at-once.ts'

/** Something was thrown, undefined maybe. */
interface Failure {
  readonly thrown: unknown
}

/** The way of a request through an app: guards, Koa middleware, hooks, the route, and what becomes of errors. */
export class RequestPath {
  readonly routes = new RouteTable()
  readonly mounted = new Mounted()
  readonly rescue: Rescue
  readonly hooks: Hooks
  isClosing = false
  readonly #app: Kolba
  /** Made with the first request: the app has no settings yet when this is made. */
  #guard: ReturnType<typeof guardOf> | undefined

  constructor(app: Kolba) {
    this.#app = app
    this.rescue = new Rescue(app)
    this.hooks = new Hooks(this.rescue)
  }

  /** Answers a request. `run` is the app's middleware, the routes last. What makes no promise is answered without one. */
  answer(ctx: BaseContext, run: Middleware): unknown {
    try {
      const isAdmitted = this.#admits(ctx)
      // Asking for the response has the answer go Koa's way.
      if (isSharedWithAnother(ctx)) void ctx.res
      const running = isAdmitted && run(ctx, nothing)
      if (isPromise(running)) return this.#answerLater(ctx, running)
      leave(ctx)
      return this.#end(ctx)
    } catch (thrown) {
      return this.#conclude(ctx, { thrown })
    }
  }

  /** An async function would do the same, and make a promise more. */
  #answerLater(ctx: BaseContext, running: PromiseLike<unknown>): unknown {
    const answered = () => {
      try {
        leave(ctx)
        return this.#end(ctx)
      } catch (thrown) {
        return this.#conclude(ctx, { thrown })
      }
    }
    return running.then(answered, thrown => this.#conclude(ctx, { thrown }))
  }

  /** Writes the value that the route has given at once, where nobody says anything else of the answer, hooks neither. */
  #end(ctx: BaseContext): unknown {
    const { after } = this.hooks
    if (this.isClosing || (after.length > 0 && !isReady(ctx))) return this.#conclude(ctx)
    for (let index = 0; index < after.length; index += 1) {
      try {
        const running = (after[index] as Hook)(ctx)
        if (isPromise(running)) return this.#conclude(ctx, undefined, [() => running, ...after.slice(index + 1)])
      } catch (thrown) {
        return this.#conclude(ctx, { thrown }, after.slice(index + 1))
      }
    }
    try {
      return writeAtOnce(ctx) || this.#conclude(ctx, undefined, [])
    } catch (thrown) {
      return this.#conclude(ctx, { thrown }, [])
    }
  }

  /** Puts the answer on ctx, that to an error too, runs the hooks of `app.after`, and writes it. */
  async #conclude(ctx: BaseContext, failure?: Failure, hooks?: readonly Hook[]): Promise<void> {
    try {
      await this.#settle(ctx, failure, hooks)
      write(ctx)
    } catch (error) {
      ctx.onerror(toError(error))
    }
  }

  async #settle(ctx: BaseContext, failure?: Failure, hooks?: readonly Hook[]): Promise<void> {
    try {
      await this.#stand(ctx, failure)
    } finally {
      // Those of a write whose client has gone as well: what it has changed, others still have the old state of.
      await this.#leave(ctx, hooks)
    }
  }

  /** Sees to it that there is an answer on ctx. @throws what went wrong, where nobody can be told */
  async #stand(ctx: BaseContext, failure: Failure | undefined): Promise<void> {
    try {
      if (failure) {
        abandon(ctx)
        takeBack(ctx)
        throw failure.thrown
      }
      // An event stream may be silent at first, and its client waits for the headers.
      if (ctx.body instanceof Readable && ctx.type !== 'text/event-stream') await firstByte(ctx.body, ctx.res)
      if (isUnanswered(ctx)) await this.rescue.fromStatus(ctx)
    } catch (thrown) {
      await this.rescue.from(ctx, thrown)
    }
  }

  async #leave(ctx: BaseContext, hooks?: readonly Hook[]): Promise<void> {
    await this.hooks.leave(ctx, hooks)
    if (this.isClosing && !ctx.headerSent) ctx.set('Connection', 'close')
  }

  /** The same for an app that is mounted on another: the outer one has let the request in, and answers most errors. */
  async within(ctx: BaseContext, run: Hook): Promise<void> {
    try {
      await run(ctx)
    } catch (thrown) {
      if (!(await this.rescue.map(ctx, thrown))) throw thrown
    }
    await this.hooks.leaveMounted(ctx)
  }

  /** The last of the app's middleware: the hooks, then the route. Where nothing fits, the next middleware has its turn. */
  readonly dispatch: Middleware = (ctx, next) => {
    if (!isOwn(ctx) || ctx.app !== this.#app) return this.#asGuest(ctx, next)
    if (this.hooks.before.length > 0) return this.hooks.enter(ctx, () => this.#route(ctx, next))
    return this.#route(ctx, next)
  }

  /** The same in another Koa app that has mounted this one's middleware. What has no route here is that app's to answer. */
  async #asGuest(host: BaseContext, next: () => Promise<void>): Promise<void> {
    const ctx = guestOf(this.#app, this, host)
    let failure: Failure | undefined
    let isPassedOn = false
    const passOn = () => {
      isPassedOn = true
      return next()
    }
    try {
      if (this.#admits(ctx)) await this.hooks.enter(ctx, () => this.#route(ctx, passOn))
    } catch (thrown) {
      if (isPassedOn) throw thrown
      failure = { thrown }
    }
    await (isPassedOn ? this.#leave(ctx) : this.#settle(ctx, failure))
    host.respond = ctx.respond
  }

  /** @throws the problem with a request that the guard refuses. */
  #admits(ctx: BaseContext): boolean {
    this.#guard ??= guardOf(this.#app.settings)
    const refusal = this.#guard(ctx)
    if (refusal) throw refusal
    if (!this.isClosing) return true
    // A status, and not an error: there is nothing to log.
    ctx.res.shouldKeepAlive = false
    ctx.status = 503
    ctx.set('Retry-After', '5')
    return false
  }

  #route(ctx: BaseContext, next: () => Promise<void>): unknown {
    const url = ctx.req.url as string
    const { [target]: known, [targetPath]: knownPath } = ctx as Shaped
    const path = (url === known ? knownPath : plainPathOf(url)) ?? ctx.path ?? ''
    if (url !== known) (ctx as Shaped)[routed] = path
    const match = this.routes.match(ctx.req.method as string, path)
    if (!match.endpoint) return this.#miss(ctx, match, next)
    const value = enter(ctx, match.endpoint, match.params)
    return isPromise(value) ? waitFor(ctx, value, value => finish(ctx, value)) : finish(ctx, value)
  }

  /** No route: the mounted apps that take whatever is under their prefix, then OPTIONS, then 405. */
  async #miss(ctx: BaseContext, { allow }: Match, next: () => Promise<void>): Promise<void> {
    if (await this.mounted.answers(ctx)) return
    // A middleware above has answered: this would take the place of that.
    if (isAnswered(ctx)) return next()
    if (allow.length === 0 && ctx.path !== '*') return next()
    ctx.set('Allow', [...allow, 'OPTIONS'].sort().join(', '))
    ctx.status = ctx.method === 'OPTIONS' ? 204 : 405
  }
}

function finish(ctx: BaseContext, value: unknown): void {
  if (value === undefined && !isAnswered(ctx) && !isStatusSet(ctx)) {
    const { route } = ctx as Required<BaseContext>
    const who = route.name ?? 'the handler'
    const names = route.decorators.map(({ name }) => name).join(', ')
    const others = names && ` Or ${names} did not return what next() gave.`
    const advice = `Return a value, or null for 204 No Content.${others}`
    throw new TypeError(`${nameOf(route)}: ${who} returned undefined. ${advice}`)
  }
  give(ctx, value)
}

async function nothing(): Promise<void> {}
