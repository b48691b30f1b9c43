import { type BaseContext, headerOn, type Note, type Problem, problem } from '../../src/index.ts'
import type { Rule } from './rule.ts'
import type { Taken } from './store.ts'
import { append, writeItem } from './structured-fields.ts'

/** A limit as clients see it. */
export interface Policy {
  readonly name: string
  readonly rule: Rule
  /** The name as a structured field, and the member of RateLimit-Policy, draft-ietf-httpapi-ratelimit-headers-11 section 3. */
  readonly item: string
  readonly text: string
  readonly legacy: boolean
}

export function policyOf(name: string, rule: Rule, legacy: boolean): Policy {
  return { name, rule, item: writeItem(name), text: writeItem(name, { q: rule.limit, w: rule.per / 1000 }), legacy }
}

/** Whole seconds, so that what is said fits when they are over. The t of RateLimit and Retry-After are the same. */
function secondsOf({ after }: Taken): number {
  return Math.ceil(after / 1000)
}

/**
 * Says the limit under its name, or, where another has that already, under one of its own: an app, and one that is
 * mounted there, know nothing of each other's names.
 *
 * @returns the limit as this answer calls it
 */
export function sendPolicy(ctx: BaseContext, policy: Policy): Policy {
  const there = headerOn(ctx, 'RateLimit-Policy')
  const its = there === undefined ? policy : apart(policy, String(there))
  ctx.set('RateLimit-Policy', append(there, its.text))
  return its
}

function apart(policy: Policy, there: string): Policy {
  const first = policy.name.replace(/-\d+$/, '')
  let its = policy
  for (let number = 2; there.includes(`${its.item};`); number += 1)
    its = policyOf(`${first}-${number}`, policy.rule, policy.legacy)
  return its
}

/** RateLimit, section 4 of the draft; several limits are several members. */
export function sendState(ctx: BaseContext, { item, rule, legacy }: Policy, taken: Taken): void {
  // Both are whole and have at most 15 digits, as the rule has.
  const text = `${item};r=${taken.remaining};t=${secondsOf(taken)}`
  ctx.set('RateLimit', append(headerOn(ctx, 'RateLimit'), text))
  if (legacy) sendLegacy(ctx, rule, taken)
}

/** There is one place for them, which the limit takes that has least left. */
function sendLegacy(ctx: BaseContext, { limit }: Rule, taken: Taken): void {
  const there = headerOn(ctx, 'X-RateLimit-Remaining')
  if (there !== undefined && Number(there) <= taken.remaining) return
  ctx.set('X-RateLimit-Limit', String(limit))
  ctx.set('X-RateLimit-Remaining', String(taken.remaining))
  ctx.set('X-RateLimit-Reset', String(Math.ceil(Date.now() / 1000) + secondsOf(taken)))
}

const EXCEEDED = {
  type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  title: 'Request cannot be satisfied as assigned quota has been exceeded',
}

/** 429 (RFC 6585 section 4), with the problem type of section 5 of the draft. */
export function exceeded({ name, rule }: Policy, taken: Taken): Problem {
  const wait = Math.max(1, secondsOf(taken))
  return problem(429, {
    ...EXCEEDED,
    detail: `At most ${rule.limit} in ${rule.per / 1000} s are allowed. Try again in ${wait} s.`,
    'violated-policies': [name],
    headers: { 'Retry-After': String(wait) },
  })
}

/** What costs more than there ever is will not pass later either, so there is no Retry-After. */
export function tooCostly({ name, rule }: Policy, cost: number): Problem {
  const detail = `This request counts as ${cost}, and ${rule.burst} is the most that is ever allowed. Ask for less.`
  return problem(429, { ...EXCEEDED, detail, 'violated-policies': [name] })
}

export const NOTE: Note = {
  headers: {
    'RateLimit-Policy': { description: 'The limits, by name: their quota q, and the seconds w that it is for' },
    RateLimit: { description: 'By name, what is left of a limit, r, and the seconds t that it has to last for' },
  },
  responses: {
    429: {
      description: 'Too many requests',
      headers: { 'Retry-After': { description: 'Seconds until it may be tried again', schema: { type: 'integer' } } },
      content: { 'application/problem+json': {} },
    },
  },
}
