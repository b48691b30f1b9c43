// All cases of http-tests/cache-tests, with a real cache in front of a kolba app that plays their origin. Two things have
// to hold for each: every answer of the app is what the origin of the cases would have sent, and the cache does what
// HTTP says, except where the tables in test/support/cache-tests/gaps.ts have a reason. A pause is three seconds, so
// they all run at the same time.
import type { ExecutionContext } from 'ava'
import { type Cache, npmCache, undiciCache } from '../support/cache-tests/caches.ts'
import type { Case, Suite } from '../support/cache-tests/format.ts'
import * as gaps from '../support/cache-tests/gaps.ts'
import { cacheTestOrigin } from '../support/cache-tests/origin.ts'
import { type Outcome, play } from '../support/cache-tests/play.ts'
import { listening } from '../support/raw.ts'
import { testVectors } from '../support/vectors.ts'

interface Subject {
  readonly name: string
  readonly open: (fields: readonly string[]) => Promise<Cache>
  readonly gaps: gaps.Gaps
  /** Beside those of every cache. */
  readonly differences?: Readonly<Record<string, readonly string[]>>
}

const SUBJECTS: readonly Subject[] = [
  { name: 'the cache of undici', open: undiciCache, gaps: gaps.undici },
  {
    name: 'make-fetch-happen',
    open: npmCache,
    gaps: gaps.makeFetchHappen,
    // RFC 9110 section 8.8.3: what has no quotes is no tag, so the same text is no match.
    differences: { 'conditional-etag-strong-generate-unquoted': ['2: the status is 200 and not 304'] },
  },
]

for (const subject of SUBJECTS) {
  const title = `${subject.name} passes on what a kolba app answers, as the cases of http-tests/cache-tests say`
  testVectors(title, 'http-cache/cache-tests.json', async (t, text) => {
    const cases = (JSON.parse(text) as Suite[]).flatMap(({ tests }) => tests)
    t.true(cases.length >= 370)
    const { outcomes, all } = await playAll(t, subject, cases)

    const differences = all.map(([id, it]) => [id, it.differences()] as const).filter(([, it]) => it.length > 0)
    t.deepEqual(Object.fromEntries(differences), { ...gaps.ours, ...subject.differences })

    const foreign = all.filter(([, { isForeign }]) => isForeign).map(([id]) => id)
    t.deepEqual(foreign, [], 'These have got a text that was not sent in them.')

    const reasons = reasonsOf(subject.gaps)
    const wrong = judged(cases, outcomes).filter(([, { wrong }]) => wrong !== undefined)
    const unexpected = wrong.filter(([{ id }]) => !reasons.has(id)).map(([{ id }, { wrong }]) => `${id}: ${wrong}`)
    t.deepEqual(unexpected, [], 'These fail, and the table has no reason for it.')
    const failed = new Set(wrong.map(([{ id }]) => id))
    const mended = [...reasons.keys()].filter(id => !failed.has(id) && !gaps.byTheClock.has(id))
    t.deepEqual(mended, [], 'These do not fail any more. Take them out of the table.')
  })
}

/** Plays all cases at once; those that fail without a known reason again, for the sake of a machine with much to do. */
async function playAll(t: ExecutionContext, { name, open, gaps }: Subject, cases: readonly Case[]) {
  const origin = cacheTestOrigin()
  const { port } = await listening(t, origin.app)
  const cache = await open(fieldsOf(cases))
  t.teardown(cache.close)
  const outcomes = new Map<string, Outcome>()
  const all: [string, Outcome][] = []
  const reasons = reasonsOf(gaps)
  let left = cases
  for (let round = 1; round <= 3 && left.length > 0; round += 1) {
    const played = left.map(async it => {
      const outcome = await play(it, cache.send, origin, `http://127.0.0.1:${port}`)
      outcomes.set(it.id, outcome)
      all.push([it.id, outcome])
    })
    await Promise.all(played)
    const failing = judged(cases, outcomes).filter(([{ id }, { wrong }]) => wrong !== undefined && !reasons.has(id))
    for (const [{ id }, { wrong }] of failing) t.log(`round ${round}: ${id}: ${wrong}`)
    left = failing.map(([it]) => it)
  }
  const required = judged(cases, outcomes)
  const questions = cases.filter(({ kind }) => kind === 'check')
  const yes = questions.filter(({ id }) => outcomes.get(id)?.wrong === undefined)
  const counts = `${required.length} judged, ${cases.length - required.length - questions.length} that build on one that fails`
  t.log(`${name}: ${cases.length} cases played; ${counts}; ${yes.length} of ${questions.length} questions have a yes`)
  return { outcomes, all }
}

/** The cases that say something of a cache: no mere question, and nothing fails that it builds on. */
function judged(cases: readonly Case[], outcomes: ReadonlyMap<string, Outcome>): [Case, Outcome][] {
  const byId = new Map(cases.map(it => [it.id, it]))
  const isSound = (id: string): boolean => {
    const before = byId.get(id)?.depends_on ?? []
    return before.every(id => outcomes.get(id)?.wrong === undefined && isSound(id))
  }
  return cases.filter(({ id, kind }) => kind !== 'check' && isSound(id)).map(it => [it, outcomes.get(it.id) as Outcome])
}

function reasonsOf(gaps: gaps.Gaps): Map<string, string> {
  return new Map(Object.entries(gaps).flatMap(([reason, ids]) => ids.split(/\s+/).map(id => [id, reason] as const)))
}

/** The fields that a client of the cases looks at. */
function fieldsOf(cases: readonly Case[]): string[] {
  const own = ['server-request-count', 'client-request-count', 'server-now', 'server-base-url', 'request-numbers']
  const names = cases.flatMap(({ requests }) =>
    requests.flatMap(({ response_headers = [] }) => response_headers.map(([name]) => name.toLowerCase())),
  )
  return [...new Set([...own, ...names])]
}
