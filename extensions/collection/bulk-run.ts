import {
  type AroundContext,
  type BaseContext,
  isBytes,
  nameOf,
  type Problem,
  problem,
  Reply,
  statusOf,
} from '../../src/index.ts'

/** What became of an item: what it would have been answered with alone. */
export interface BulkResult {
  readonly status: number
  readonly location?: string
  readonly body?: unknown
  /** The problem document, without what is the same for the whole request. */
  readonly problem?: object
}

/**
 * Runs the items one after another. What each leaves on ctx, beside what is in its result, is taken back.
 *
 * @throws where all items count, the problem of the first that fails, with its index
 */
export async function runAll(
  ctx: AroundContext,
  list: readonly unknown[],
  atomic: boolean,
  runOne: (item: unknown, index: number) => Promise<unknown>,
): Promise<Reply> {
  const results: BulkResult[] = []
  for (const [index, item] of list.entries()) {
    // Once the client has gone, or time is over, nobody would hear of the rest.
    ctx.signal.throwIfAborted()
    const takeBack = rememberAnswer(ctx)
    try {
      const result = resultOf(ctx, await runOne(item, index))
      if (atomic && result.status >= 400) throw problem(result.status, membersOf(result))
      results.push(result)
    } catch (thrown) {
      if (atomic) throw await withIndex(ctx, thrown, index)
      results.push(await resultOfError(ctx, thrown))
    } finally {
      takeBack()
    }
  }
  return new Reply(statusOfAll(results), results)
}

/** A 204 has no room for the results; and what is not the same for all is for the client to look into. */
function statusOfAll(results: readonly BulkResult[]): number {
  const [status = 200, ...others] = new Set(results.map(({ status }) => (status === 204 ? 200 : status)))
  return others.length === 0 && [200, 201, 202].includes(status) ? status : 207
}

function resultOf(ctx: BaseContext, value: unknown): BulkResult {
  if (value instanceof Error) throw value
  const given = value === undefined ? ctx.body : value
  if (given === undefined && !(ctx.response as Answer)._explicitStatus)
    throw new TypeError(`${placeOf(ctx)}: the handler returned undefined for an item. Return a value, or null for 204.`)
  const { status, body, headers, source } = given instanceof Reply ? given : new Reply(plainStatus(ctx, given), given)
  if (isBytes(body))
    throw new TypeError(`${placeOf(ctx)}: bulk() has no room for bytes. Return what JSON can hold for each item.`)
  const own = Object.entries(headers).find(([name]) => name.toLowerCase() === 'location')?.[1]
  const location = own ?? ctx.response.get('Location')
  // What has been rendered already is rendered again, with the rest.
  const content = source ?? body ?? undefined
  if (content === undefined && status >= 400) return { status, problem: documentOf(problem(status)) }
  return { status, ...(location && { location: String(location) }), ...(content !== undefined && { body: content }) }
}

function plainStatus(ctx: BaseContext, given: unknown): number {
  return given === null ? 204 : statusOf(ctx)
}

function membersOf({ problem, body }: BulkResult): Record<string, unknown> {
  const { headers: _, ...members } = (problem ?? (typeof body === 'object' ? body : {})) as Record<string, unknown>
  return members
}

async function resultOfError(ctx: BaseContext, thrown: unknown): Promise<BulkResult> {
  const refusal = await ctx.app.inside.problemOf(ctx, thrown)
  if (!refusal) return resultOf(ctx, undefined)
  ctx.app.inside.tell(refusal.error, ctx)
  return { status: refusal.problem.status, problem: documentOf(refusal.problem) }
}

/** A 5xx says nothing of what happened inside. */
function documentOf({ status, members }: Problem): object {
  const { type, title, detail, status: _, ...extensions } = members
  return status >= 500 ? { type, title, status } : { type, title, status, detail, ...extensions }
}

/** The same error, saying which item it is about. One that nobody is shown, or that `onError` answers, is as it was. */
async function withIndex(ctx: BaseContext, thrown: unknown, index: number): Promise<unknown> {
  const refusal = await ctx.app.inside.problemOf(ctx, thrown)
  if (!refusal || refusal.problem.status >= 500) return thrown
  const { status, members, headers } = refusal.problem
  return problem(status, { ...members, headers, index }, { cause: thrown })
}

/** What Koa keeps of an answer, which it has no other way to take back. */
interface Answer {
  _explicitStatus?: boolean
  _explicitNullBody?: boolean
}

/** Remembers what stands on ctx to be answered, and gives what puts it there again. */
function rememberAnswer({ res, response }: BaseContext): () => void {
  const before = res.getHeaders()
  const { statusCode, statusMessage } = res
  const { body } = response
  const { _explicitStatus, _explicitNullBody } = response as Answer
  return () => {
    // Of no body Koa makes the text null, where the type is JSON's.
    res.removeHeader('Content-Type')
    if (response.body !== body) response.body = body
    for (const name of res.getHeaderNames()) if (!(name in before)) res.removeHeader(name)
    for (const [name, value] of Object.entries(before)) {
      if (value !== undefined && res.getHeader(name) !== value) res.setHeader(name, value)
    }
    Object.assign(res, { statusCode, statusMessage })
    Object.assign(response, { _explicitStatus, _explicitNullBody })
  }
}

function placeOf({ route, method, path }: BaseContext): string {
  return route ? nameOf(route) : `${method} ${path}`
}
