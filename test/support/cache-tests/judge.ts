import { type Expected, isValidated, type Step, textOf } from './format.ts'
import type { Visit } from './origin.ts'

/** An answer as the client has got it from the cache. Fields are by lower-case name, several values joined by `, `. */
export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly interim: readonly (readonly [number, Readonly<Record<string, string>>])[]
}

const EMPTY = new Set([204, 304])

/**
 * What is wrong with what a cache has done in a run, undefined where nothing is: the checks of http-tests/cache-tests, in
 * its order.
 */
export function judge(id: string, steps: readonly Step[], received: readonly Received[], visits: readonly Visit[]) {
  for (const [index, answer] of received.entries()) {
    const wrong = wrongWithAnswer(id, steps[index] as Step, index + 1, answer)
    if (wrong) return wrong
  }
  return wrongWithVisits(steps, received, visits)
}

function wrongWithAnswer(id: string, step: Step, number: number, answer: Received): string | undefined {
  const { status, headers, text } = answer
  const count = Number(headers['server-request-count'] ?? Number.NaN)
  const numbers = headers['request-numbers']?.split(' ') ?? []
  if (new Set(numbers).size < numbers.length) return `answer ${number}: the cache has asked twice`
  const isFromCache = count < number || (status === 304 && Number.isNaN(count))
  if (step.expected_type === 'cached' && !isFromCache) return `answer ${number} does not come from the cache`
  if (step.expected_type === 'not_cached' && count !== number) return `answer ${number} comes from the cache`
  const wanted = step.expected_status === undefined ? (step.response_status?.[0] ?? 200) : step.expected_status
  if (wanted !== null && status !== wanted) return `answer ${number}: the status is ${status} and not ${wanted}`
  for (const expected of step.expected_response_headers ?? []) {
    const wrong = wrongWithField(expected, step, headers)
    if (wrong) return `answer ${number}: ${wrong}`
  }
  for (const missing of step.expected_response_headers_missing ?? []) {
    const [name, value = ''] = typeof missing === 'string' ? [missing] : missing
    if (headers[name.toLowerCase()]?.includes(value)) return `answer ${number}: ${name} is still there`
  }
  return wrongWithInterim(step, number, answer) ?? wrongWithText(id, step, number, status, text)
}

function wrongWithField(expected: Expected, step: Step, headers: Received['headers']): string | undefined {
  const [name, second, third] = typeof expected === 'string' ? [expected] : expected
  const value = headers[name.toLowerCase()]
  if (second === undefined || third !== undefined) {
    if (value === undefined) return `${name} is missing`
    if (second === '=' && value !== headers[String(third).toLowerCase()]) return `${name} is not equal to ${third}`
    if (second === '>' && !(Number.parseInt(value, 10) > Number(third)))
      return `${name} is ${value}, not above ${third}`
    return
  }
  const place = { now: Number(headers['server-now']), path: headers['server-base-url'] ?? '' }
  const wanted = textOf([name, second], step, place)
  if (value !== wanted) return `${name} is ${value} and not ${wanted}`
}

function wrongWithInterim(step: Step, number: number, { interim }: Received): string | undefined {
  const wanted = step.expected_interim_responses
  if (!wanted) return
  if (interim.length !== wanted.length)
    return `answer ${number}: ${interim.length} interim answers, not ${wanted.length}`
  for (const [index, [status, fields = []]] of wanted.entries()) {
    const [given, headers] = interim[index] as Received['interim'][number]
    if (given !== status) return `answer ${number}: an interim answer is ${given} and not ${status}`
    const wrong = fields.find(([name, value]) => headers[name] !== value)
    if (wrong) return `answer ${number}: ${wrong[0]} of an interim answer is ${headers[wrong[0]]}`
  }
}

function wrongWithText(id: string, step: Step, number: number, status: number, text: string): string | undefined {
  if (step.check_body === false || step.expected_response_text === null) return
  const isEmpty = EMPTY.has(status) || step.request_method === 'HEAD'
  if (isEmpty && step.expected_response_text === undefined && !step.response_body) return
  const wanted = step.expected_response_text ?? step.response_body ?? id
  if (text !== wanted) return `answer ${number}: the body is ${JSON.stringify(text)} and not ${JSON.stringify(wanted)}`
}

function wrongWithVisits(steps: readonly Step[], received: readonly Received[], visits: readonly Visit[]) {
  let seen = 0
  for (const [index, step] of steps.entries()) {
    if (step.expected_type === 'cached') continue
    const visit = visits[seen]
    const wrong = wrongWithVisit(step, index + 1, visit)
    if (wrong) return wrong
    const lost = visit && lostField(visit, steps[visit.step - 1] as Step, received[index] as Received)
    if (lost) return `answer ${index + 1}: ${lost}`
    seen += 1
  }
}

function wrongWithVisit(step: Step, number: number, visit: Visit | undefined) {
  if (step.expected_type === 'not_cached' && visit?.step !== number) return `request ${number} did not reach the origin`
  if (isValidated(step)) {
    if (!visit) return `request ${number} did not reach the origin`
    const name = step.expected_type === 'etag_validated' ? 'if-none-match' : 'if-modified-since'
    if (visit.headers[name] === undefined) return `request ${number} has no ${name}`
    if (visit.answer?.status !== 304) return `request ${number} does not have the validator that the origin gave`
  }
  for (const expected of step.expected_request_headers ?? []) {
    const [name, value] = typeof expected === 'string' ? [expected] : expected
    const sent = visit?.headers[name.toLowerCase()]
    if (sent === undefined || (value !== undefined && sent !== value)) return `request ${number}: ${name} is ${sent}`
  }
  if (step.expected_method && visit?.method !== step.expected_method)
    return `request ${number}: the method is ${visit?.method} and not ${step.expected_method}`
}

/** What of the origin's answer the client should have got and has not. */
function lostField(visit: Visit, step: Step, { headers }: Received): string | undefined {
  for (const [name, values] of visit.fields) {
    const isKept = step.response_headers?.findLast(field => field[0].toLowerCase() === name)?.[2] !== false
    // A cache may set the date anew, where there is none.
    if (!isKept || name === 'date') continue
    if (headers[name] !== values.join(', ')) return `${name} is ${headers[name]} and not ${values.join(', ')}`
  }
}
