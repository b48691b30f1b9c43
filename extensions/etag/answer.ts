import {
  evaluate,
  hasPreconditions,
  isPlainlyCurrent,
  readPreconditions,
  writeDate,
  writeTag,
} from '../../src/conditional/index.ts'
import { type BaseContext, headerNamesOn, isOverruled, isResponse, problem, Reply, statusOf } from '../../src/index.ts'
import { type Describe, replyOf, type Validators } from './validators.ts'

/**
 * Answers a GET, HEAD or QUERY with validators, or by 304 or 412 as its preconditions say. Only a 2xx is looked at: what
 * would be an error, or a redirect, is that all the same (RFC 9110 section 13.2.1).
 */
export function answer(ctx: BaseContext, value: unknown, describe: Describe): unknown {
  // When time is up, ctx has the 503 by then.
  if (value instanceof Error || ctx.respond === false || isOverruled(ctx)) return value
  // Nobody has answered: that is a 404, or an error of the handler.
  if (value === undefined && ctx.status === 404) return value
  const status = value instanceof Reply || isResponse(value) ? value.status : statusOf(ctx)
  if (status < 200 || status > 299) return value
  const { tag, lastModified } = describe(ctx, value)
  const text = sendValidators(ctx, { tag, lastModified })
  const { headers } = ctx
  if (!hasPreconditions(headers)) return value
  if (isPlainlyCurrent(headers, text)) return notModified(ctx, replyOf(ctx, value))
  const preconditions = readPreconditions(headers, ctx.req.rawHeaders)
  const verdict = evaluate(ctx.method, preconditions, { exists: true, tag, lastModified })
  if (verdict === 'failed') throw problem(412, { detail: 'This is not what you have. GET it without conditions.' })
  return verdict === 'perform' ? value : notModified(ctx, replyOf(ctx, value))
}

/** @returns the tag as the answer has it */
export function sendValidators(ctx: BaseContext, { tag, lastModified }: Validators): string | undefined {
  const text = tag && writeTag(tag)
  if (text) ctx.set('ETag', text)
  if (lastModified) ctx.set('Last-Modified', writeDate(lastModified))
  return text
}

const ABOUT_THE_CONTENT = /^(?:content-(?!location$|security-policy)|transfer-encoding$|trailer$|accept-ranges$)/i

/** RFC 9110 section 15.4.5: what a cache updates itself by, and nothing of the content that it has. */
function notModified(ctx: BaseContext, { headers }: Reply): Reply {
  for (const name of headerNamesOn(ctx)) if (ABOUT_THE_CONTENT.test(name)) ctx.remove(name)
  const kept = Object.entries(headers).filter(([name]) => !ABOUT_THE_CONTENT.test(name))
  return new Reply(304, undefined, Object.fromEntries(kept))
}
