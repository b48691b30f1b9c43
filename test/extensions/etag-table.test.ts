// The table of RFC 9110 section 13.2.2, through a whole app: what a request is answered, by method, conditions and state.
import { Readable } from 'node:stream'
import test from 'ava'
import { type BaseContext, kolba, problem } from 'kolba'
import { etag } from 'kolba/etag'
import { Line, listening } from '../support/raw.ts'

const READING = ['GET', 'HEAD', 'QUERY']
const WRITING = ['PUT', 'PATCH', 'DELETE', 'POST']

const AT = new Date('1994-10-29T19:43:31.500Z')
const EQUAL = 'Sat, 29 Oct 1994 19:43:31 GMT'
const OLDER = 'Sat, 29 Oct 1994 19:43:30 GMT'
const NEWER = 'Sat, 29 Oct 1994 19:43:32 GMT'

interface State {
  readonly tag?: string
  readonly at?: Date
}

const STATES: Record<string, State | undefined> = {
  missing: undefined,
  strong: { tag: '"a,b"', at: AT },
  weak: { tag: 'W/"a,b"', at: AT },
  dated: { at: AT },
  tagged: { tag: '"a,b"' },
  bare: {},
}

/**
 * The values of a field, and whether the condition is true in each of the states above: T or F; i where the field is to
 * be ignored; m where it cannot be read, which a write refuses with 400, and a reader takes for a list without the tag.
 */
type Row = readonly [values: readonly string[], truth: string]

const IF_MATCH: Row[] = [
  [[], 'iiiiii'],
  [['"a,b"'], 'FTFFTF'],
  [['W/"a,b"'], 'FFFFFF'],
  [['"x", "a,b"'], 'FTFFTF'],
  [['"x"', '"a,b" ,,'], 'FTFFTF'],
  [['*'], 'FTTTTT'],
  [['"a", "b"'], 'FFFFFF'],
  [[''], 'FFFFFF'],
  [['a,b'], 'mmmmmm'],
  [['*', '"a,b"'], 'mmmmmm'],
]
const IF_NONE_MATCH: Row[] = [
  [[], 'iiiiii'],
  [['"a,b"'], 'TFFTFT'],
  [['W/"a,b"'], 'TFFTFT'],
  [['"x"', 'W/"a,b"'], 'TFFTFT'],
  [['*'], 'TFFFFF'],
  [['"a", "b"'], 'TTTTTT'],
  [[''], 'TTTTTT'],
  [['"a,b'], 'mmmmmm'],
]
const IF_MODIFIED_SINCE: Row[] = [
  [[], 'iiiiii'],
  [[EQUAL], 'iFFFii'],
  [[OLDER], 'iTTTii'],
  [[NEWER], 'iFFFii'],
  [['today'], 'iiiiii'],
  [[EQUAL, EQUAL], 'iiiiii'],
]
const IF_UNMODIFIED_SINCE: Row[] = [
  [[], 'iiiiii'],
  [[EQUAL], 'iTTTii'],
  [[OLDER], 'iFFFii'],
  [[NEWER], 'iTTTii'],
  [['today'], 'iiiiii'],
  [[OLDER, OLDER], 'iiiiii'],
]
const NAMES = ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since']

/** The answer by the text of sections 13.1 and 13.2, step by step. */
function expected(method: string, isThere: boolean, truths: string[]): number {
  const [match, noneMatch, modified, unmodified] = truths
  const isReading = READING.includes(method)
  // Section 13.2.1: what would be no 2xx is that without a look at conditions.
  if (isReading && !isThere) return 404
  if (!isReading && (match === 'm' || noneMatch === 'm')) return 400
  // Step 1, else step 2.
  if (match === 'F' || match === 'm') return 412
  if (match === 'i' && unmodified === 'F') return 412
  // Step 3, else step 4.
  if (noneMatch === 'F') return isReading ? 304 : 412
  if (noneMatch === 'i' && isReading && modified === 'F') return 304
  return 200
}

/** One in 121 of all combinations: 11 divides no number of rows, so that any two of them come together. */
function* requests() {
  let count = 0
  for (const method of [...READING, ...WRITING])
    for (const [column, name] of Object.keys(STATES).entries())
      for (const match of IF_MATCH)
        for (const noneMatch of IF_NONE_MATCH)
          for (const modified of IF_MODIFIED_SINCE)
            for (const unmodified of IF_UNMODIFIED_SINCE) {
              count += 1
              if (count % 121 > 0) continue
              const rows = [match, noneMatch, modified, unmodified]
              const lines = rows.flatMap(([values], index) => values.map(it => `${NAMES[index]}: ${it}`))
              yield { method, name, lines, truths: rows.map(([, truth]) => truth[column] as string) }
            }
}

test('etag() answers as RFC 9110 section 13.2.2 says, whatever method, conditions and state', async t => {
  const app = kolba({ signals: false })
  let state: State | undefined
  let writes = 0
  const tagged = etag({ lastModified: () => state?.at })
  function read(ctx: BaseContext) {
    if (!state) throw problem(404)
    if (state.tag) ctx.set('ETag', state.tag)
    return state.tag ? 'text' : Readable.from(['text'])
  }
  app.get('/', tagged, read)
  app.query('/', tagged, read)
  app.route(WRITING, '/', tagged, () => {
    writes += 1
    return 'written'
  })
  const { port } = await listening(t, app)
  const line = new Line(port)
  const wrong: string[] = []
  const counts: Record<number, number> = {}
  let total = 0
  for (const { method, name, lines, truths } of requests()) {
    state = STATES[name]
    const before = writes
    line.text = ''
    line.write([`${method} / HTTP/1.1`, 'Host: a', ...lines, '', ''].join('\r\n'))
    const { status, headers, body } = method === 'HEAD' ? await headOf(line) : await line.next()
    const wanted = expected(method, state !== undefined, truths)
    const row = `${method} ${name} ${lines.join(' / ')}`
    if (status !== wanted) wrong.push(`${row}: ${status}, expected ${wanted}`)
    if (status === 304 && (body !== '' || 'content-length' in headers)) wrong.push(`${row}: a body`)
    if (writes - before !== Number(WRITING.includes(method) && wanted === 200)) wrong.push(`${row}: ${writes} writes`)
    counts[wanted] = (counts[wanted] ?? 0) + 1
    total += 1
  }
  t.log(`${total} requests, ${wrong.length} wrong: ${JSON.stringify(counts)}`)
  t.deepEqual(wrong.slice(0, 20), [])
  t.true(total > 900)
  for (const status of [200, 304, 400, 404, 412]) t.true((counts[status] ?? 0) >= 40, `${status}`)
})

/** An answer to HEAD has the length of the body that it does not have. */
async function headOf(line: Line) {
  await line.until(text => text.includes('\r\n\r\n'))
  return { status: Number(line.text.slice(9, 12)), headers: {}, body: line.text.split('\r\n\r\n')[1] ?? '' }
}
