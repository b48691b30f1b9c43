import {
  type Current,
  evaluate,
  forRepresentation,
  hasPreconditions,
  readPreconditions,
  writeTag,
} from '../../src/conditional/index.ts'
import { type BaseContext, type Problem, problem, Reply } from '../../src/index.ts'
import { headerOf, readAnswer } from './answer.ts'
import type { Job } from './engine.ts'

/** What is said of a job is its owner's, and old in a moment. */
export const PRIVATE = { 'Cache-Control': 'private, no-cache' }

/** A problem with a job, which no cache may give to another one: 404 and 410 may be kept unless they say otherwise. */
export function refusal(status: number, detail: string): Problem {
  return problem(status, { detail, headers: PRIVATE })
}

/**
 * What came of a job, with the status and the headers that it had, at the place that is given.
 *
 * @param describe leads on to another place: 303 (RFC 9110 section 15.4.4), with what this gives
 */
export function outcome(job: Job, result: string, place: string, describe?: (result: string) => unknown): Reply {
  const { status, body, headers } = readAnswer(result)
  const location = headerOf(headers, 'location')
  const hasFailed = job.state === 'failed'
  if (!hasFailed && describe && location !== undefined)
    return new Reply(303, describe(location), { ...PRIVATE, Location: location })
  const isProblem = headerOf(headers, 'content-type') === PROBLEM && typeof body === 'object'
  // It will not be tried again, so there is nothing to wait for.
  const gone = hasFailed ? ['cache-control', 'retry-after'] : ['cache-control']
  const its = Object.entries(headers).filter(([name]) => !gone.includes(name.toLowerCase()))
  // 202 is what it says while it is under way.
  return new Reply(status === 202 ? 200 : status, isProblem ? { ...body, instance: place } : body, {
    ...Object.fromEntries(its),
    ...cacheControl(headers),
  })
}

/** Where what came of a job is, if it is elsewhere. */
export function placeOf({ state, result }: Job): string | undefined {
  return state === 'succeeded' && result !== undefined ? headerOf(readAnswer(result).headers, 'location') : undefined
}

export const PROBLEM = 'application/problem+json'

/** How long it might be kept was said of another place. That it must not be, holds here too. */
function cacheControl(headers: Reply['headers']): Reply['headers'] {
  return /\bno-store\b/i.test(headerOf(headers, 'cache-control') ?? '') ? { 'Cache-Control': 'no-store' } : PRIVATE
}

/** RFC 9110 section 13: a state or a result that has not changed since it was read is 304. */
export function conditional(ctx: BaseContext, { version }: Job, reply: Reply): Reply {
  if (reply.status >= 300) return reply
  const tag = { weak: true, opaque: forRepresentation(`${version}`, ctx) }
  const headers = { ETag: writeTag(tag), ...reply.headers }
  if (hasPreconditions(ctx.headers)) {
    const current: Current = { exists: true, tag, lastModified: undefined }
    const verdict = evaluate(ctx.method, readPreconditions(ctx.headers, ctx.req.rawHeaders), current)
    if (verdict === 'failed') throw refusal(412, 'This is not what you have. GET it without conditions.')
    if (verdict !== 'perform') return new Reply(304, undefined, { ETag: headers.ETag, ...cacheControl(headers) })
  }
  return new Reply(reply.status, reply.body, headers)
}
