import { belowOf, toDocument, toError, toProblem } from '../../src/detached/index.ts'
import { type BaseContext, type Decorator, type Handler, nameOf, type Problem, type Route } from '../../src/index.ts'
import { resultText } from './answer.ts'
import type { Terms } from './options.ts'
import { contextOf, readRequest, type StoredRequest } from './request.ts'
import { toText } from './stored.ts'
import type { Attempt, Failure, Running, Task } from './work.ts'

export interface RouteTask extends Task {
  /** What stands below `background()`, for a request to this route. */
  below(request: Pick<StoredRequest, 'method' | 'url'>): Handler<BaseContext>
}

/**
 * The jobs of a route: what stands below `background()` runs with a context of its own.
 *
 * @param handler what runs in place of the route's own
 */
export function routeTask(name: string, terms: Terms, route: Route, self: Decorator, handler?: Handler): RouteTask {
  let below: Handler<BaseContext> | undefined

  function belowIn({ method, url }: Pick<StoredRequest, 'method' | 'url'>): Handler<BaseContext> {
    const { endpoint } = route.app.match(method, new URL(url, 'http://localhost').pathname)
    if (endpoint?.route === route) below ??= belowOf(endpoint, self, handler)
    if (below) return below
    throw Object.assign(new Error(`${nameOf(route)}: another route takes ${url} now.`), { retry: false })
  }

  function begin(running: Running): Attempt {
    const request = readRequest(running.job.request)
    const ctx = Object.assign(contextOf(route.app, request, running), { route, _matchedRoute: route.path })
    return {
      async run() {
        try {
          return await resultText(ctx, await belowIn(request)(ctx))
        } finally {
          // For those that end something with the answer, which this one will never have.
          ctx.res.emit('close')
        }
      },
      fail: thrown => failureOf(ctx, thrown),
    }
  }

  return { name, terms, begin, below: belowIn }
}

/** What is gone when it is asked for again may be there; the others would say the same each time (RFC 9110 section 15.5). */
const PASSING = new Set([408, 425, 429])

async function failureOf(ctx: BaseContext, thrown: unknown): Promise<Failure> {
  const { app } = ctx
  const refusal = await app.inside.problemOf(ctx, thrown)
  const error = refusal?.error ?? toError(thrown)
  const status = refusal ? refusal.problem.status : ctx.status
  return {
    error,
    isPermanent: isPermanent(thrown, status),
    text: refusal ? problemText(refusal.problem, ctx.requestId) : await resultText(ctx, undefined),
    // An error that `onError` has answered was told when it did.
    tell: () => (refusal ? app.inside.tell(error, ctx) : undefined),
  }
}

/** Of an error that no app knows of. */
export function plainFailure(thrown: unknown, tell: (error: Error) => void): Failure {
  const error = toError(thrown)
  const problem = toProblem(error)
  const text = problemText(problem, undefined)
  return { error, isPermanent: isPermanent(thrown, problem.status), text, tell: () => tell(error) }
}

function isPermanent(thrown: unknown, status: number): boolean {
  return Object(thrown).retry === false || (status < 500 && !PASSING.has(status))
}

/** A problem document, which is another resource's when it is asked for, and so has no `instance` yet. */
function problemText(problem: Problem, requestId: string | undefined): string {
  const body = { ...toDocument(problem, undefined, requestId ?? ''), requestId }
  const headers = { ...problem.headers, 'Content-Type': 'application/problem+json' }
  return toText({ status: problem.status, headers, body: JSON.parse(JSON.stringify(body)) }, 'the problem')
}
