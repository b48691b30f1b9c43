import test, { type ExecutionContext } from 'ava'
import { kolba, reply } from 'kolba'
import { cached } from 'kolba/cache'
import { MemoryLogger } from '../support/memory-logger.ts'
import { testVectors } from '../support/vectors.ts'

type Line = [name: string, value: string | number, ...rest: unknown[]]

interface Step {
  readonly filename?: string
  readonly request_method?: string
  readonly request_headers?: Line[]
  readonly request_body?: string
  readonly response_headers?: Line[]
  readonly response_status?: [number, string]
  readonly response_body?: string
  readonly pause_after?: boolean
  readonly expected_type?: string
  readonly expected_status?: number
}

interface Case {
  readonly id: string
  readonly name: string
  readonly requests: Step[]
}

/** The suites that are of use for a cache which its origin has in itself: the others ask the origin whether it is new. */
const SUITES = ['vary', 'vary-parse', 'cc-parse', 'conditional-inm', 'conditional-lm', 'invalidation']

/** Where we answer otherwise than an optimal cache, and why. */
const OTHERWISE: Record<string, string> = {
  ...reasons('a 5xx may come after something was written, and RFC 9111 section 4.4 leaves it to us', [
    'invalidate-POST-failed',
    'invalidate-PUT-failed',
    'invalidate-DELETE-failed',
    'invalidate-M-SEARCH-failed',
  ]),
  ...reasons('values of unknown headers are compared as they are: RFC 9111 section 4.1 allows more, and demands none', [
    'vary-normalise-lang-order',
    'vary-normalise-lang-case',
    'vary-normalise-lang-space',
    'vary-normalise-lang-select',
    'vary-normalise-space',
  ]),
  ...reasons('what is no max-age does not shorten ttl, which says how long an answer is good', [
    'freshness-max-age-space-before-equals',
    'freshness-max-age-space-after-equals',
    'freshness-max-age-single-quoted',
  ]),
  ...reasons('of a directive that comes twice the first counts: RFC 9111 section 4.2.1', [
    'freshness-max-age-two-stale-fresh-sameline',
    'freshness-max-age-two-stale-fresh-sepline',
  ]),
  ...reasons('a date is compared with Last-Modified alone, where there is one: RFC 9110 section 13.1.3', [
    'conditional-lm-fresh-no-lm',
  ]),
  ...reasons('what is no entity tag (RFC 9110 section 8.8.3) matches none', [
    'conditional-etag-quoted-respond-unquoted',
    'conditional-etag-unquoted-respond-unquoted',
    'conditional-etag-unquoted-respond-quoted',
    'conditional-etag-weak-respond-lowercase',
    'conditional-etag-weak-respond-backslash',
    'conditional-etag-weak-respond-omit-slash',
  ]),
}

function reasons(why: string, ids: string[]): Record<string, string> {
  return Object.fromEntries(ids.map(id => [id, why]))
}

for (const suite of SUITES) {
  const title = `cached() does what the suite ${suite} of cache-tests expects, except where a table says why not`
  testVectors(title, 'http-cache/cache-tests.json', async (t, text) => {
    const all = JSON.parse(text) as { id: string; tests: Case[] }[]
    const tests = all.find(({ id }) => id === suite)?.tests ?? []
    let run = 0
    for (const it of tests) {
      // What an origin is asked by a cache on the way, and how long an answer is good by its dates, is not ours.
      if (it.requests.some(step => step.expected_type?.includes('validated') || !answers(step))) continue
      run += 1
      const differs = await play(it)
      t.is(differs !== undefined, it.id in OTHERWISE, `${it.id}: ${it.name} ${differs ?? ''}`)
    }
    t.true(run > 0)
    t.log(`${run} of ${tests.length} cases`)
  })
}

/** Is it set up, or does it say what to expect? */
function answers(step: Step): boolean {
  return 'setup' in step || step.expected_type !== undefined
}

/** Plays a case: what was other than expected. */
async function play({ requests }: Case): Promise<string | undefined> {
  const app = kolba({ logger: new MemoryLogger() })
  let calls = 0
  let now: Step = {}
  const kept = cached({ ttl: 100_000 })
  const handler = (ctx: { append(name: string, value: string): void }) => {
    calls += 1
    for (const [name, value] of now.response_headers ?? []) {
      if (name !== 'Date') ctx.append(name, typeof value === 'number' ? new Date(value * 1000).toUTCString() : value)
    }
    return reply(now.response_status?.[0] ?? 200, now.response_body ?? `${calls}`)
  }
  app.get('/:name', kept, handler)
  app.route(['POST', 'PUT', 'DELETE', 'M-SEARCH'], '/:name', handler)
  const client = app.client()
  for (const step of requests) {
    now = step
    const before = calls
    const method = step.request_method ?? 'GET'
    const headers: Record<string, string[]> = {}
    for (const [name, value] of step.request_headers ?? [])
      headers[name] = [
        ...(headers[name] ?? []),
        typeof value === 'number' ? new Date(value * 1000).toUTCString() : value,
      ]
    const response = await client.fetch(`/${step.filename ?? 'x'}`, { method, headers, ...body(step) })
    const type = calls === before ? 'cached' : 'not_cached'
    if (step.expected_type && type !== step.expected_type) return `It was ${type}.`
    const status = step.expected_status ?? response.status
    if (response.status !== status) return `It was ${response.status}.`
    if (step.pause_after) ahead += 3
  }
}

function body({ request_body: body }: Step): { body?: string } {
  return body === undefined ? {} : { body }
}

/** How far the clock is, in seconds: a pause of cache-tests takes three. */
let ahead = 0
const real = performance.now
test.before(() => {
  performance.now = () => real.call(performance) + ahead * 1000
})
test.after.always((_t: ExecutionContext) => {
  performance.now = real
})
