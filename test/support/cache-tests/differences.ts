import { isValidated, type Step } from './format.ts'
import type { Run, Visit } from './origin.ts'

/** What the origin of the cases sends of itself, and kolba and Node send with every answer. */
const ALWAYS = new Set([
  'server-base-url',
  'server-request-count',
  'client-request-count',
  'server-now',
  'request-numbers',
  'x-request-id',
  'content-type',
  'content-length',
])
const EMPTY = new Set([204, 304])

/**
 * How the answers of a run differ from those that the origin of http-tests/cache-tests would have given: its status, its
 * fields and no others, its body. Where a step should have been validated and was not, that one answers 999.
 */
export function differences({ steps, visits }: Run, id: string): string[] {
  return visits.flatMap(visit => differencesOf(visit, steps[visit.step - 1] as Step, id))
}

function differencesOf(visit: Visit, step: Step, id: string): string[] {
  const { step: number, method, answer, fields } = visit
  if (step.disconnect) return answer ? [`${number}: it was answered`] : []
  if (!answer) return [`${number}: it was not answered`]
  const { status, headers, body } = answer
  const found: string[] = []
  const wanted = statusOf(visit, step)
  if (status !== wanted) found.push(`${number}: the status is ${status} and not ${wanted}`)
  for (const [name, values] of fields) {
    const sent = [headers[name] ?? []].flat().map(String)
    if (sent.join('\n') !== values.join('\n')) found.push(`${number}: ${name} is ${sent.join(', ') || 'missing'}`)
  }
  for (const name of Object.keys(headers)) {
    if (!fields.has(name) && !ALWAYS.has(name) && !isValidator(name, visit, step))
      found.push(`${number}: ${name} is added`)
  }
  const content = EMPTY.has(status) ? '' : step.response_body || id
  if (method !== 'HEAD' && String(body ?? '') !== content) found.push(`${number}: the body is ${body}`)
  return found
}

/** By the letter: what was sent is what the origin gave in the step before. */
function statusOf({ headers, before }: Visit, step: Step): number {
  if (!isValidated(step)) return step.response_status?.[0] ?? 200
  const isSame = (given: unknown, name: string) => given !== undefined && given === before?.get(name)?.at(-1)
  const isKnown = isSame(headers['if-modified-since'], 'last-modified') || isSame(headers['if-none-match'], 'etag')
  return isKnown ? 304 : 200
}

/**
 * Where it is about validation, an answer has the validators of the representation, a 304 too (RFC 9110 section 15.4.5).
 * The origin of the cases leaves them out.
 */
function isValidator(name: string, { answer, before }: Visit, step: Step): boolean {
  const isNamed = name === 'etag' || name === 'last-modified'
  return isNamed && isValidated(step) && answer?.headers[name] === before?.get(name)?.at(-1)
}
