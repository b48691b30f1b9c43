import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Kolba } from 'kolba'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { isWhole } from '../../support/extent.js'
import {
  ATTACKS,
  DECLARED,
  encode,
  type Hostile,
  hostileQueries,
  LONG,
  PEOPLE,
  peopleApp,
  peopleIn,
  SECRET,
} from '../../support/hostile.js'
import type { MemoryLogger } from '../../support/memory-logger.js'
import { testPostgres } from '../../support/postgres.js'
import { kyselyOnSqlite } from '../../support/sqlite.js'
import { threadTime } from '../../support/thread-time.js'
import { testVectors } from '../../support/vectors.js'

interface Place {
  readonly app: Kolba
  readonly logger: MemoryLogger
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly text: string
  /** Milliseconds of the processor that it took, client and all, in which the event loop could do nothing else. */
  readonly busy: number
}

const onArray = peopleApp(() => PEOPLE)
const db = kyselyOnSqlite()
const onSqlite = peopleApp(await peopleIn(db, 'sqlite'))
test.after.always(() => db.destroy())

async function send({ app }: Place, { method, path, body, lenient }: Hostile): Promise<Answer> {
  const headers = {
    ...(lenient && { Prefer: 'handling=lenient' }),
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
  }
  const before = threadTime()
  const response = await app
    .client()
    [method === 'GET' ? 'get' : 'query'](path, { headers, ...(body !== undefined && { body }) })
  const text = await response.text()
  const busy = threadTime() - before
  const { requestId, ...rest } = JSON.parse(text)
  return { status: response.status, body: rest, text, busy }
}

/** How many there are beside those that are made by hand: CI has 5,500, of 10,000 in all. */
const RANDOM = isWhole ? 5500 : 300
/** Of those made by hand, CI has all; else each seventh has to do. There are 24 places for a text. */
const EVERY = isWhole ? 1 : 7
const some = (queries: readonly string[]) => queries.filter((_, index) => index % EVERY === 0)

const REFUSALS = [400, 404, 413]

/** What is wrong with an answer, whoever has asked what. */
function faultOf({ status, body, text }: Answer): string | undefined {
  if (text.includes(SECRET)) return 'it has a secret'
  if (REFUSALS.includes(status)) return text.length > 12_000 ? `${text.length} bytes of refusal` : undefined
  if (status !== 200) return `it is ${status}`
  const { items } = body as { items: Record<string, unknown>[] }
  const foreign = items.flatMap(namesOf).find(name => !DECLARED.has(name))
  return foreign === undefined ? undefined : `it has the field ${foreign}`
}

/** With those of its friend, and of the friend's. */
function namesOf(item: Record<string, unknown>): string[] {
  const { friend } = item as { friend?: Record<string, unknown> | null }
  return [...Object.keys(item), ...(friend ? namesOf(friend) : [])]
}

const LIMIT = 20

/**
 * Sends queries to places that have the same rows, one after another. What took the event loop for longer than it may is
 * sent again: a garbage collector is slow now and then, and a query that blocks always is.
 */
async function sendAll(t: ExecutionContext, queries: readonly Hostile[], places: readonly Place[]): Promise<void> {
  // Of which nothing depends but how long a busy machine may take over thousands of requests.
  t.timeout(300_000)
  const statuses = new Map<number, number>()
  const slow: { query: Hostile; place: Place }[] = []
  let longest = 0
  for (const query of queries) {
    const answers: Answer[] = []
    for (const place of places) {
      const answer = await send(place, query)
      const fault = faultOf(answer)
      if (fault) return t.fail(`${fault}: ${JSON.stringify(query).slice(0, 2000)}`)
      if (answer.busy > LIMIT) slow.push({ query, place })
      longest = Math.max(longest, answer.busy)
      answers.push(answer)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    }
    const [first, ...others] = answers
    for (const other of others) {
      if (JSON.stringify(first?.body) !== JSON.stringify(other.body))
        return void t.deepEqual<unknown, unknown>(other.body, first?.body, JSON.stringify(query).slice(0, 2000))
    }
  }
  const blocking: string[] = []
  for (const { query, place } of slow) if (!(await isQuick(place, query))) blocking.push(JSON.stringify(query))
  t.deepEqual(blocking, [])
  const counts = [...statuses].map(([status, count]) => `${count} of ${status}`).join(', ')
  t.log(`${queries.length} queries: ${counts}; the longest took ${longest.toFixed(1)} ms; ${slow.length} sent again`)
  for (const { logger } of places)
    t.deepEqual(
      logger.lines.filter(({ level }) => level !== 'info').map(({ fields }) => fields.err),
      [],
    )
}

async function isQuick(place: Place, query: Hostile): Promise<boolean> {
  for (let turn = 0; turn < 3; turn += 1) if ((await send(place, query)).busy <= LIMIT) return true
  return false
}

/** Some that are given out, for queries of several kinds. */
async function cursorsOf({ app }: Place): Promise<string[]> {
  const queries = ['cursor=', 'cursor=&sort=-age,created&limit=3', 'cursor=&status=new&sort=created']
  const all = queries.map(async query => {
    const { links } = (await (await app.client().get(`/default?${query}`)).json()) as { links: Record<string, string> }
    return ['next', 'last'].map(relation => new URL(links[relation] as string).searchParams.get('cursor') as string)
  })
  return (await Promise.all(all)).flat()
}

/** As the names, operators and values of the usual parameters. */
const everywhere = (text: string): string[] => {
  const it = encode(text)
  return [
    `default?${it}=${it}`,
    `default?name=${it}`,
    `default?age=${it}`,
    `default?created[lt]=${it}`,
    `default?active=${it}`,
    `default?status[in]=${it}`,
    `default?name[like]=${it}`,
    `default?name[${it}]=x`,
    `default?${it}[gte]=x`,
    `default?q=${it}`,
    `default?sort=${it}`,
    `default?fields=${it}`,
    `default?expand=${it}`,
    `default?page=${it}`,
    `default?limit=${it}`,
    `default?cursor=${it}`,
    `classic?filter=name,eq,${it}`,
    `classic?filter=${it}&sort=${it}`,
    `jsonapi?filter[name][like]=${it}`,
    `jsonapi?filter[${it}]=${it}`,
    `jsonapi?page[${it}]=${it}&include=${it}`,
    `react-admin?filter=${encode(JSON.stringify({ name: text, [text]: text, note_q: text }))}`,
    `react-admin?filter=${it}&sort=${it}&range=${it}`,
    `json-server?name_like=${it}&_sort=${it}`,
  ]
}

const get = (path: string, index: number): Hostile => ({ method: 'GET', path: `/${path}`, lenient: index % 5 === 0 })

/** As much work as one request may ask for. */
const heaviest = LONG.filter(text => text.length <= 256).flatMap(text => {
  const it = encode(text)
  const many = Array.from({ length: 100 }, (_, index) => `${text.slice(0, 20)}${index}`.replaceAll(',', '')).map(encode)
  const likes = `name[like]=${it}&note[like]=${it}&status[like]=${it}&q=${it}`
  const others = `name[nin]=${many}&note[nin]=${many}&age[ne]=1&id[gte]=0&created[ne]=2026-01-01&active[ne]=true`
  const rest = 'sort=-note,name,status,age,created,active&expand=friend,friend.friend&limit=100&offset=100'
  return [`default?${likes}`, `default?${likes}&${others}&${rest}`, `default?${others}&${rest}`]
})

test.serial(
  'collection() answers hand-made attacks with 200 or a refusal, the same from a list and from SQLite',
  async t => {
    const queries = [...some([...ATTACKS, ...LONG].flatMap(everywhere)), ...heaviest].map(get)
    t.true(queries.length > 3000 / EVERY)
    await sendAll(t, queries, [onArray, onSqlite])
  },
)

test.serial(
  'collection() answers random queries with 200 or a refusal, the same from a list and from SQLite',
  async t => {
    const queries = fc.sample(hostileQueries(await cursorsOf(onArray)), { numRuns: RANDOM, seed: 5 })
    await sendAll(t, queries, [onArray, onSqlite])
  },
)

testPostgres('collection() answers such queries from PostgreSQL as from a list', async (t, url) => {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const db = new Kysely<Record<string, Record<string, unknown>>>({ dialect: new PostgresDialect({ pool }) })
  try {
    const random = fc.sample(hostileQueries(await cursorsOf(onArray)), { numRuns: Math.min(RANDOM, 500), seed: 6 })
    const handMade = [...ATTACKS.flatMap(everywhere).filter((_, index) => index % 7 === 0), ...heaviest].map(get)
    await sendAll(t, [...handMade, ...random], [onArray, peopleApp(await peopleIn(db, 'postgres'))])
  } finally {
    await db.destroy()
  }
})

testVectors('collection() answers the big list of naughty strings', 'naughty-strings/blns.json', async (t, text) => {
  const strings = JSON.parse(text) as string[]
  t.true(strings.length > 400)
  const places = strings.flatMap((text, index) => everywhere(text).filter((_, place) => (place + index) % 8 === 0))
  await sendAll(t, some(places).map(get), [onArray, onSqlite])
})

test.serial('collection() never says again what was long', async t => {
  const long = 'x'.repeat(7000)
  for (const place of everywhere(long).map(get)) {
    const { status, text } = await send(onArray, { ...place, lenient: false })
    t.is(status, 400, place.path.slice(0, 40))
    t.false(text.includes('x'.repeat(65)))
  }
})

test.serial('collection() has its rows after all of this', async t => {
  const { rows } = (await db.executeQuery(db.selectFrom('person').select('id').compile())) as { rows: unknown[] }
  t.is(rows.length, PEOPLE.length)
})
