import test from 'ava'
import fc from 'fast-check'
import { kolba } from 'kolba'
import {
  type Current,
  type EntityTag,
  evaluate,
  hasPreconditions,
  isCurrentRange,
  isPlainlyCurrent,
  malformed,
  readDate,
  readPreconditions,
  readTag,
  readTags,
  strongMatch,
  type Verdict,
  weakMatch,
  writeTag,
} from '../../../src/conditional/index.ts'
import { exchange, listening } from '../../support/raw.ts'
import { testVectors } from '../../support/vectors.ts'

const strong = (opaque: string): EntityTag => ({ weak: false, opaque })
const weak = (opaque: string): EntityTag => ({ weak: true, opaque })

const MODIFIED = new Date('1994-10-29T19:43:31Z')
const EQUAL = 'Sat, 29 Oct 1994 19:43:31 GMT'
const OLDER = 'Sat, 29 Oct 1994 19:43:30 GMT'
const NEWER = 'Sat, 29 Oct 1994 19:43:32 GMT'

// --- entity tags, RFC 9110 section 8.8.3 ---

/** The examples of section 8.8.3, then the edges of its grammar. */
const TAGS: [string, EntityTag][] = [
  ['"xyzzy"', strong('xyzzy')],
  ['W/"xyzzy"', weak('xyzzy')],
  ['""', strong('')],
  ['W/""', weak('')],
  ['"a,b"', strong('a,b')],
  ['"*"', strong('*')],
  ['"W/"', strong('W/')],
  ['"a\\"', strong('a\\')],
  ['"!#$%&\'()+-./:;<=>?@[]^_`{|}~"', strong("!#$%&'()+-./:;<=>?@[]^_`{|}~")],
  ['"\x80é\xff"', strong('\x80é\xff')],
]
for (const [text, tag] of TAGS) {
  test(`readTag() and writeTag() know ${JSON.stringify(text)}`, t => {
    t.deepEqual(readTag(text), tag)
    t.is(writeTag(tag), text)
    t.deepEqual(readTags(text), [tag])
  })
}

const NO_TAGS = [
  'xyzzy',
  'W/xyzzy',
  '"xyzzy',
  'xyzzy"',
  '"',
  'W/"',
  'w/"xyzzy"',
  'W "xyzzy"',
  'W/ "xyzzy"',
  'W"xyzzy"',
  '"a"b"',
  '"a""b"',
  '"a b"',
  '"a\tb"',
  '"a\x7f"',
  '"a\0"',
  '"aĀ"',
  "'a'",
  '"a" x',
  '"a"; "b"',
  '"a" "b"',
  '"a"\n',
]
for (const text of NO_TAGS) {
  test(`readTag() and readTags() refuse ${JSON.stringify(text)}`, t => {
    t.is(readTag(text), undefined)
    t.is(readTags(text), 'malformed')
    t.is(readTags(`"v1", ${text}`), 'malformed')
    t.is(readTags(`${text}, "v1"`), 'malformed')
  })
}

test('readTag() refuses what is no single tag', t => {
  for (const text of ['', '*', ' "a"', '"a" ', '"a","b"', '"a",']) t.is(readTag(text), undefined, text)
})

test('writeTag() refuses what would be read as another tag, or as none', t => {
  const message = 'writeTag: an entity tag has no quotes, spaces or control characters. Encode what it is made of.'
  for (const opaque of ['a"b', 'a b', 'a\r\nSet-Cookie: b', '\0', '\x7f', 'Ā', '日'])
    t.throws(() => writeTag(strong(opaque)), { instanceOf: TypeError, message })
})

const [a, b, c] = [strong('a'), strong('b'), strong('c')]

/** Lists: section 5.6.1, with its examples of empty members, and 13.1.1 and 13.1.2 with theirs. */
const LISTS: [string, ReturnType<typeof readTags>][] = [
  ['"xyzzy"', [strong('xyzzy')]],
  ['"xyzzy", "r2d2xxxx", "c3piozzzz"', [strong('xyzzy'), strong('r2d2xxxx'), strong('c3piozzzz')]],
  ['W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz"', [weak('xyzzy'), weak('r2d2xxxx'), weak('c3piozzzz')]],
  ['*', '*'],
  [' *\t', '*'],
  ['"a","b"', [a, b]],
  ['"a" ,"b",', [a, b]],
  ['"a" , ,"b","c"', [a, b, c]],
  ['\t"a"\t,\t"b"\t', [a, b]],
  [',"a"', [a]],
  [',,,', []],
  [' , \t', []],
  [' ', []],
  ['', []],
  ['"a,b", W/","', [strong('a,b'), weak(',')]],
  ['*, "a"', 'malformed'],
  ['"a", *', 'malformed'],
  ['*, *', 'malformed'],
  ['*,', 'malformed'],
  [',*', 'malformed'],
  ['**', 'malformed'],
  ['"a";"b"', 'malformed'],
  ['"a", b', 'malformed'],
  ['"a"\r\n, "b"', 'malformed'],
]
for (const [header, tags] of LISTS)
  test(`readTags() reads ${JSON.stringify(header)}`, t => t.deepEqual(readTags(header), tags))

test('readTags() gives undefined where there is no header', t => t.is(readTags(undefined), undefined))

test('readTags() starts anew for each header, after a malformed one too', t => {
  t.is(readTags('"a", "b", x'), 'malformed')
  t.deepEqual(readTags('"c"'), [c])
})

const anyOpaque = fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map(it => String.fromCharCode(it)) })
const anyTag = fc.record({ weak: fc.boolean(), opaque: anyOpaque.map(it => it.replace(/["\x7f]/g, ',')) })
const anyGap = fc.constantFrom(',', ', ', ' ,', '\t,\t', ',,', ' , , ')

test('readTags() reads back any list of tags, however it is separated', t => {
  const property = fc.property(fc.array(anyTag), fc.array(anyGap, { minLength: 1 }), (tags, gaps) => {
    const header = tags.map((tag, index) => `${index ? gaps[index % gaps.length] : ''}${writeTag(tag)}`).join('')
    t.deepEqual(readTags(header), tags)
    t.deepEqual(readTags(`,${header} ,`), tags)
    for (const tag of tags) t.deepEqual(readTag(writeTag(tag)), tag)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 500 }))
})

test('readTags() gives tags that can be written, `*` or malformed for any text', t => {
  const nearly = fc.array(fc.constantFrom('"', 'W/', 'a', ',', ' ', '\t', '*', '\\', 'é'), { maxLength: 12 })
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    nearly.map(it => it.join('')),
  )
  const property = fc.property(anyText, text => {
    const tags = readTags(text)
    if (Array.isArray(tags)) t.deepEqual(readTags(tags.map(writeTag).join()), tags)
    else t.true(tags === '*' || tags === 'malformed')
    const tag = readTag(text)
    if (tag) t.deepEqual(tags, [tag])
  })
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }))
})

// Where the time grew with the square of the length this would take an hour, and ava would end it.
test('readTags() and readTag() refuse a header of a million characters that is nearly right', t => {
  for (const part of [' ', '\t', ',', ' ,', '"', 'W/', 'W/"', '"a"', '"a" ', '"a', 'a', '*', '\\"', '"a",', ', "a" '])
    for (const end of ['x', ' x', ',x'])
      for (const start of ['', '"', 'W/"']) {
        const header = start + part.repeat(Math.ceil(1_000_000 / part.length)) + end
        // Not is(), which would print it.
        t.true(readTags(header) === 'malformed', `${start}${part}...${end}`)
        t.true(readTag(header) === undefined, `${start}${part}...${end}`)
      }
})

test('readTags() takes 16 KB of tags of one character, and of empty members', t => {
  t.is(readTags('"a",'.repeat(4096))?.length, 4096)
  t.deepEqual(readTags(','.repeat(16_384)), [])
})

/** Table 3 of section 8.8.3.2. */
const COMPARISONS: [EntityTag, EntityTag, strong: boolean, weak: boolean][] = [
  [weak('1'), weak('1'), false, true],
  [weak('1'), weak('2'), false, false],
  [weak('1'), strong('1'), false, true],
  [strong('1'), strong('1'), true, true],
]
for (const [one, other, isStrong, isWeak] of COMPARISONS) {
  test(`strongMatch() is ${isStrong} and weakMatch() is ${isWeak} of ${writeTag(one)} and ${writeTag(other)}`, t => {
    t.is(strongMatch(one, other), isStrong)
    t.is(strongMatch(other, one), isStrong)
    t.is(weakMatch(one, other), isWeak)
    t.is(weakMatch(other, one), isWeak)
  })
}

// --- reading a request ---

test('hasPreconditions() sees each of the four, an empty one too, and nothing else', t => {
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'])
    t.true(hasPreconditions({ host: 'a', [name]: '' }))
  t.false(hasPreconditions({}))
  t.false(hasPreconditions({ 'if-range': '"a"', range: 'bytes=0-1', 'if-match': undefined }))
})

test('readPreconditions() reads what is there', t => {
  const none = { ifMatch: undefined, ifNoneMatch: undefined, ifModifiedSince: undefined, ifUnmodifiedSince: undefined }
  t.deepEqual(readPreconditions({}), none)
  const headers = { 'if-match': '"a"', 'if-none-match': 'b', 'if-modified-since': EQUAL, 'if-unmodified-since': 'x' }
  const read = { ...none, ifMatch: [a], ifNoneMatch: 'malformed', ifModifiedSince: MODIFIED } as const
  t.deepEqual(readPreconditions(headers), read)
})

test('readPreconditions() reads several lines of a list as one, and ignores a date of several lines', t => {
  const headers = { 'if-match': ['"a"', '"b"'], 'if-none-match': ['*', '"a"'], 'if-modified-since': [EQUAL, EQUAL] }
  t.deepEqual(readPreconditions(headers).ifMatch, [a, b])
  t.is(readPreconditions(headers).ifNoneMatch, 'malformed')
  t.is(readPreconditions(headers).ifModifiedSince, undefined)
  const date = { 'if-unmodified-since': EQUAL }
  t.deepEqual(readPreconditions(date, ['If-Unmodified-Since', EQUAL]).ifUnmodifiedSince, MODIFIED)
  t.deepEqual(
    readPreconditions(date, ['A', 'if-unmodified-since', 'IF-UNMODIFIED-SINCE', EQUAL]).ifUnmodifiedSince,
    MODIFIED,
  )
  t.is(
    readPreconditions(date, ['If-Unmodified-Since', EQUAL, 'if-unmodified-since', EQUAL]).ifUnmodifiedSince,
    undefined,
  )
})

test('readPreconditions() reads what Node makes of a request with lines sent twice', async t => {
  const app = kolba({ signals: false })
  app.get('/', ({ req }) => readPreconditions(req.headers, req.rawHeaders) as object)
  const { port } = await listening(t, app)
  const request = [
    'GET / HTTP/1.1',
    'Host: a',
    'If-Match: "a"',
    'If-Match:   "b" ',
    'If-None-Match: "\xe9"',
    'If-None-Match:',
    `If-Modified-Since: ${EQUAL}`,
    `if-modified-since: ${EQUAL}`,
    `If-Unmodified-Since: ${EQUAL}`,
    'Connection: close',
  ]
  const [answer] = await exchange(port, `${request.join('\r\n')}\r\n\r\n`)
  const body = Buffer.from(answer?.body ?? '', 'latin1').toString()
  t.deepEqual(JSON.parse(body), {
    ifMatch: [a, b],
    ifNoneMatch: [strong('é')],
    ifUnmodifiedSince: MODIFIED.toISOString(),
  })
})

test('malformed() names the header, If-Match first', t => {
  t.is(malformed({}), undefined)
  t.is(malformed(readPreconditions({ 'if-match': '"a"', 'if-none-match': '*', 'if-modified-since': 'x' })), undefined)
  t.is(malformed(readPreconditions({ 'if-match': 'a' })), 'If-Match')
  t.is(malformed(readPreconditions({ 'if-none-match': 'a' })), 'If-None-Match')
  t.is(malformed(readPreconditions({ 'if-match': 'a', 'if-none-match': 'a' })), 'If-Match')
})

// --- the table of RFC 9110 section 13.2.2 ---

const METHODS = ['GET', 'HEAD', 'QUERY', 'PUT', 'PATCH', 'DELETE', 'POST']

const STATES: Record<string, Current> = {
  missing: { exists: false },
  strong: { exists: true, tag: strong('v1'), lastModified: MODIFIED },
  weak: { exists: true, tag: weak('v1'), lastModified: MODIFIED },
  dated: { exists: true, lastModified: MODIFIED },
  bare: { exists: true },
}

/**
 * The truth of each condition by the text of its section: a letter for each of the states above. T is true, F is false,
 * i has the field ignored, and u is what section 13 leaves open: a list that cannot be read.
 */
interface Row {
  values: readonly string[]
  truth: string
}

const IF_MATCH: Record<string, Row> = {
  absent: { values: [], truth: 'iiiii' },
  'the tag': { values: ['"v1"'], truth: 'FTFFF' },
  'its weak form': { values: ['W/"v1"'], truth: 'FFFFF' },
  'a list with it': { values: ['"a,b" , , "v1"'], truth: 'FTFFF' },
  'a list without it': { values: ['"a", W/"v1", "v1,"'], truth: 'FFFFF' },
  any: { values: ['*'], truth: 'FTTTT' },
  stale: { values: ['"v0"'], truth: 'FFFFF' },
  malformed: { values: ['v1'], truth: 'FFFFF' },
}

const IF_NONE_MATCH: Record<string, Row> = {
  absent: { values: [], truth: 'iiiii' },
  'the tag': { values: ['"v1"'], truth: 'TFFTT' },
  'its weak form': { values: ['W/"v1"'], truth: 'TFFTT' },
  'a list with it': { values: ['"a,b" , , "v1"'], truth: 'TFFTT' },
  'a list without it': { values: ['"a", "v", "v1,"'], truth: 'TTTTT' },
  any: { values: ['*'], truth: 'TFFFF' },
  stale: { values: ['"v0"'], truth: 'TTTTT' },
  malformed: { values: ['v1'], truth: 'uuuuu' },
}

const IF_MODIFIED_SINCE: Record<string, Row> = {
  absent: { values: [], truth: 'iiiii' },
  equal: { values: [EQUAL], truth: 'iFFFi' },
  older: { values: [OLDER], truth: 'iTTTi' },
  newer: { values: [NEWER], truth: 'iFFFi' },
  invalid: { values: ['1994-10-29T19:43:31Z'], truth: 'iiiii' },
  duplicate: { values: [EQUAL, EQUAL], truth: 'iiiii' },
}

const IF_UNMODIFIED_SINCE: Record<string, Row> = {
  absent: { values: [], truth: 'iiiii' },
  equal: { values: [EQUAL], truth: 'iTTTi' },
  older: { values: [OLDER], truth: 'iFFFi' },
  newer: { values: [NEWER], truth: 'iTTTi' },
  invalid: { values: ['1994-10-29T19:43:31Z'], truth: 'iiiii' },
  duplicate: { values: [OLDER, OLDER], truth: 'iiiii' },
}

/** The truth of the four conditions of a request, and which of the fields are there. */
interface Truths {
  method: string
  ifMatch: string
  ifNoneMatch: string
  ifModifiedSince: string
  ifUnmodifiedSince: string
}

const isReading = ({ method }: Truths) => method === 'GET' || method === 'HEAD' || method === 'QUERY'

interface Step {
  applies: (it: Truths) => boolean
  truth: (it: Truths) => string
  whenFalse: (it: Truths) => Verdict
  /** The step that true goes on with. */
  whenTrue: number
}

/** Steps 1 to 4, as section 13.2.2 has them. Step 5 is about ranges, and step 6 performs the method. */
const STEPS: Step[] = [
  {
    applies: it => it.ifMatch !== 'i',
    truth: it => it.ifMatch,
    whenFalse: () => 'failed',
    whenTrue: 3,
  },
  {
    applies: it => it.ifMatch === 'i' && it.ifUnmodifiedSince !== 'i',
    truth: it => it.ifUnmodifiedSince,
    whenFalse: () => 'failed',
    whenTrue: 3,
  },
  {
    applies: it => it.ifNoneMatch !== 'i',
    // Ours: what cannot be read guards a change, and does not keep a reader from the newest.
    truth: it => (it.ifNoneMatch === 'u' ? (isReading(it) ? 'T' : 'F') : it.ifNoneMatch),
    whenFalse: it => (isReading(it) ? 'not-modified' : 'failed'),
    whenTrue: 5,
  },
  {
    applies: it => isReading(it) && it.ifNoneMatch === 'i' && it.ifModifiedSince !== 'i',
    truth: it => it.ifModifiedSince,
    whenFalse: () => 'not-modified',
    whenTrue: 5,
  },
]

function byTheSteps(it: Truths): Verdict {
  let step = 1
  while (step <= 4) {
    const { applies, truth, whenFalse, whenTrue } = STEPS[step - 1] as Step
    if (applies(it) && truth(it) === 'F') return whenFalse(it)
    step = applies(it) ? whenTrue : step + 1
  }
  return 'perform'
}

test('evaluate() answers each row of the table of RFC 9110 section 13.2.2', t => {
  const wrong: string[] = []
  const counts = { perform: 0, 'not-modified': 0, failed: 0 }
  for (const request of requests()) {
    const { headers, rawHeaders } = asNodeDoes(request.lines)
    const preconditions = readPreconditions(headers, rawHeaders)
    Object.values(STATES).forEach((current, column) => {
      const truths = request.truths.map(truth => truth[column] as string)
      const [ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince] = truths as [string, string, string, string]
      for (const method of METHODS) {
        const expected = byTheSteps({ method, ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince })
        const verdict = evaluate(method, preconditions, current)
        counts[expected] += 1
        const state = Object.keys(STATES)[column]
        if (verdict !== expected) wrong.push(`${method} ${request.title}, ${state}: ${verdict}, expected ${expected}`)
      }
    })
  }
  const total = counts.perform + counts['not-modified'] + counts.failed
  t.log(`${total} rows, ${wrong.length} wrong: ${JSON.stringify(counts)}`)
  t.deepEqual(wrong.slice(0, 20), [])
  t.is(total, 7 * 8 * 8 * 6 * 6 * 5)
  t.true(Object.values(counts).every(count => count > 3000))
})

function* requests(): Generator<{ title: string; lines: [string, string][]; truths: string[] }> {
  for (const [matching, ifMatch] of Object.entries(IF_MATCH))
    for (const [noneMatching, ifNoneMatch] of Object.entries(IF_NONE_MATCH))
      for (const [since, ifModifiedSince] of Object.entries(IF_MODIFIED_SINCE))
        for (const [until, ifUnmodifiedSince] of Object.entries(IF_UNMODIFIED_SINCE)) {
          const rows = {
            'If-Match': ifMatch,
            'If-None-Match': ifNoneMatch,
            'If-Modified-Since': ifModifiedSince,
            'If-Unmodified-Since': ifUnmodifiedSince,
          }
          yield {
            title: [matching, noneMatching, since, until].join(' / '),
            lines: Object.entries(rows).flatMap(([name, { values }]) =>
              values.map(it => [name, it] as [string, string]),
            ),
            truths: Object.values(rows).map(({ truth }) => truth),
          }
        }
}

/** What Node makes of header lines: of a date the first one, and all of them in rawHeaders. */
function asNodeDoes(lines: [string, string][]): { headers: Record<string, string>; rawHeaders: string[] } {
  const pairs = lines.map(([name, value]): [string, string] => [name.toLowerCase(), value])
  return { headers: Object.fromEntries(pairs.reverse()), rawHeaders: lines.flat() }
}

const current: Current = { exists: true, tag: strong('xyzzy'), lastModified: MODIFIED }

/** By hand: a request, what the resource is, the answer, and the sentence of the RFC. */
const BY_HAND: [request: string, headers: Record<string, string>, it: Current, answer: Verdict, why: string][] = [
  ['PUT', {}, current, 'perform', '13.2.2 step 6'],
  ['PUT', { 'if-match': '"xyzzy"' }, current, 'perform', '13.1.1: at least one member matches'],
  ['PUT', { 'if-match': '"xyzzy", "r2d2xxxx", "c3piozzzz"' }, current, 'perform', '13.1.1: the example of a list'],
  ['PUT', { 'if-match': '"r2d2xxxx"' }, current, 'failed', '13.1.1: a lost update'],
  ['PUT', { 'if-match': '*' }, { exists: false }, 'failed', '13.1.1: there is no current representation'],
  ['PUT', { 'if-match': '' }, current, 'failed', '13.1.1: no member matches'],
  ['DELETE', { 'if-match': 'W/"xyzzy"' }, current, 'failed', '13.1.1: MUST use the strong comparison'],
  [
    'DELETE',
    { 'if-match': '"xyzzy"' },
    { exists: true, tag: weak('xyzzy') },
    'failed',
    '13.1.1, when the server has a weak one',
  ],
  ['GET', { 'if-match': '"r2d2xxxx"' }, current, 'failed', '13.1.1: a client MAY send If-Match in a GET'],
  ['PUT', { 'if-none-match': '*' }, current, 'failed', '13.1.2: do not overwrite'],
  ['PUT', { 'if-none-match': '*' }, { exists: false }, 'perform', '13.1.2: create, and no second one wins'],
  ['GET', { 'if-none-match': '*' }, { exists: true }, 'not-modified', '13.1.2: 304 where the method is GET or HEAD'],
  [
    'GET',
    { 'if-none-match': 'W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz"' },
    current,
    'not-modified',
    '13.1.2: the weak comparison',
  ],
  ['HEAD', { 'if-none-match': '"xyzzy"' }, current, 'not-modified', '13.1.2'],
  ['QUERY', { 'if-none-match': '"xyzzy"' }, current, 'not-modified', 'RFC 10008 section 2.6'],
  ['QUERY', { 'if-modified-since': EQUAL }, current, 'not-modified', 'RFC 10008 section 2.6'],
  ['POST', { 'if-none-match': '"xyzzy"' }, current, 'failed', '13.1.2: 412 for all other methods'],
  ['GET', { 'if-none-match': '' }, current, 'perform', '13.1.2: no member matches'],
  ['GET', { 'if-modified-since': EQUAL }, current, 'not-modified', '13.1.3: its example, not modified since'],
  [
    'GET',
    { 'if-modified-since': 'Saturday, 29-Oct-94 19:43:31 GMT' },
    current,
    'not-modified',
    '5.6.7: MUST accept all three',
  ],
  ['GET', { 'if-modified-since': 'Sat Oct 29 19:43:31 1994' }, current, 'not-modified', '5.6.7: MUST accept all three'],
  ['POST', { 'if-modified-since': EQUAL }, current, 'perform', '13.1.3: MUST ignore it, neither GET nor HEAD'],
  [
    'GET',
    { 'if-none-match': '"other"', 'if-modified-since': NEWER },
    current,
    'perform',
    '13.1.3: MUST ignore it with If-None-Match',
  ],
  [
    'GET',
    { 'if-none-match': 'other', 'if-modified-since': NEWER },
    current,
    'perform',
    '13.1.3, when If-None-Match is malformed',
  ],
  ['GET', { 'if-none-match': '"xyzzy"', 'if-modified-since': OLDER }, current, 'not-modified', '13.2.2 step 3'],
  [
    'GET',
    { 'if-none-match': '"xyzzy"', 'cache-control': 'no-cache' },
    current,
    'not-modified',
    '13.2.2: Cache-Control is no part',
  ],
  ['PUT', { 'if-unmodified-since': EQUAL }, current, 'perform', '13.1.4: its example, earlier or equal'],
  ['PUT', { 'if-unmodified-since': OLDER }, current, 'failed', '13.1.4'],
  ['GET', { 'if-unmodified-since': OLDER }, current, 'failed', '13.1.4: of any method'],
  [
    'PUT',
    { 'if-match': '"xyzzy"', 'if-unmodified-since': OLDER },
    current,
    'perform',
    '13.1.4: MUST ignore it with If-Match',
  ],
  [
    'PUT',
    { 'if-match': 'xyzzy', 'if-unmodified-since': NEWER },
    current,
    'failed',
    '13.1.4, when If-Match is malformed',
  ],
  [
    'PUT',
    { 'if-unmodified-since': `${OLDER}, ${OLDER}` },
    current,
    'perform',
    '13.1.4: MUST ignore what appears to be a list',
  ],
  ['PUT', { 'if-unmodified-since': OLDER }, { exists: false }, 'perform', '13.1.4: MUST ignore it without a date'],
  [
    'GET',
    { 'if-match': '"xyzzy"', 'if-none-match': '"xyzzy"' },
    current,
    'not-modified',
    '13.2.2: step 1 goes on to step 3',
  ],
  ['GET', { 'if-match': '"other"', 'if-none-match': '"xyzzy"' }, current, 'failed', '13.2.2: step 1 is first'],
  [
    'GET',
    { 'if-unmodified-since': OLDER, 'if-modified-since': NEWER },
    current,
    'failed',
    '13.2.2: step 2 is before step 4',
  ],
  [
    'GET',
    { 'if-unmodified-since': EQUAL, 'if-modified-since': EQUAL },
    current,
    'not-modified',
    '13.2.2: step 2 goes on to step 3',
  ],
  ['OPTIONS', { 'if-match': '"other"' }, current, 'perform', '13.2.1: MUST ignore them'],
  ['TRACE', { 'if-none-match': '*' }, current, 'perform', '13.2.1: MUST ignore them'],
  ['CONNECT', { 'if-unmodified-since': OLDER }, current, 'perform', '13.2.1: MUST ignore them'],
  ['get', { 'if-none-match': '"xyzzy"' }, current, 'failed', '9.1: a method is case-sensitive'],
  [
    'PUT',
    { 'if-none-match': 'xyzzy' },
    current,
    'failed',
    'ours: nothing is changed behind a guard that cannot be read',
  ],
  ['PUT', { 'if-none-match': '"xyzzy"' }, { ...current, exists: false }, 'perform', 'what does not exist has no tag'],
  ['PUT', { 'if-match': '"xyzzy"' }, { ...current, exists: false }, 'failed', 'what does not exist has no tag'],
  [
    'PUT',
    { 'if-unmodified-since': OLDER },
    { ...current, exists: false },
    'perform',
    'what does not exist has no date',
  ],
  [
    'GET',
    { 'if-modified-since': NEWER },
    { exists: true, lastModified: new Date(Number.NaN) },
    'perform',
    '13.1.3: no date',
  ],
  [
    'PUT',
    { 'if-unmodified-since': OLDER },
    { exists: true, lastModified: new Date(Number.NaN) },
    'perform',
    '13.1.4: no date',
  ],
]
for (const [index, [method, headers, it, answer, why]] of BY_HAND.entries()) {
  test(`evaluate() says ${answer} to ${method} ${JSON.stringify(headers)}, ${index + 1}: ${why}`, t =>
    t.is(evaluate(method, readPreconditions(headers), it), answer))
}

test('evaluate() compares whole seconds, because HTTP cannot say more', t => {
  const late = { exists: true, lastModified: new Date(MODIFIED.getTime() + 999) }
  t.is(evaluate('GET', { ifModifiedSince: MODIFIED }, late), 'not-modified')
  t.is(evaluate('PUT', { ifUnmodifiedSince: MODIFIED }, late), 'perform')
  const next = { exists: true, lastModified: new Date(MODIFIED.getTime() + 1000) }
  t.is(evaluate('GET', { ifModifiedSince: MODIFIED }, next), 'perform')
  t.is(evaluate('PUT', { ifUnmodifiedSince: MODIFIED }, next), 'failed')
  const before1970 = { exists: true, lastModified: new Date(-1) }
  t.is(evaluate('GET', { ifModifiedSince: new Date(-1000) }, before1970), 'not-modified')
  t.is(evaluate('PUT', { ifUnmodifiedSince: new Date(-1000) }, before1970), 'perform')
})

test('evaluate() takes any headers, and says not-modified to reading methods alone', t => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('*', '"v1"', 'W/"v1"', '"v0", "v1"', EQUAL, OLDER, NEWER),
  )
  const names = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']
  const headers = fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true })
  const method = fc.constantFrom(...METHODS, 'OPTIONS', 'PROPFIND')
  const property = fc.property(method, headers, fc.constantFrom(...Object.values(STATES)), (method, headers, it) => {
    const verdict = evaluate(method, readPreconditions(headers), it)
    t.true(['perform', 'not-modified', 'failed'].includes(verdict))
    if (verdict === 'not-modified') t.true(it.exists && ['GET', 'HEAD', 'QUERY'].includes(method))
    if (!hasPreconditions(headers)) t.is(verdict, 'perform')
  })
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }))
})

// --- step 5, RFC 9110 section 13.1.5 ---

const RANGES: [ifRange: string | undefined, it: Current, strongDate: boolean, answer: boolean, why: string][] = [
  [undefined, current, false, true, 'there is no condition'],
  [undefined, { exists: false }, false, true, 'there is no condition'],
  ['"xyzzy"', current, false, true, 'the tag is the same'],
  ['"xyzzy"', current, true, true, 'the tag is the same'],
  ['"other"', current, true, false, 'the tag is another'],
  ['W/"xyzzy"', current, true, false, 'a weak tag never matches strongly'],
  ['"xyzzy"', { exists: true, tag: weak('xyzzy') }, true, false, 'a weak tag never matches strongly'],
  ['W/"xyzzy"', { exists: true, tag: weak('xyzzy') }, true, false, 'a weak tag never matches strongly'],
  ['"xyzzy"', { exists: true }, true, false, 'there is no tag'],
  ['"xyzzy"', { ...current, exists: false }, true, false, 'there is no representation'],
  [EQUAL, { ...current, exists: false }, true, false, 'there is no representation'],
  ['"a", "xyzzy"', current, true, false, 'a list is malformed'],
  ['*', current, true, false, '* is malformed'],
  ['xyzzy', current, true, false, 'it is malformed'],
  ['', current, true, false, 'it is malformed'],
  [EQUAL, current, true, true, 'the date is the same'],
  [EQUAL, current, false, false, 'the date is not strong'],
  ['Saturday, 29-Oct-94 19:43:31 GMT', current, true, true, 'the date is the same'],
  [OLDER, current, true, false, 'the date is earlier'],
  [NEWER, current, true, false, 'the date is later, which If-Unmodified-Since would take'],
  [EQUAL, { exists: true, tag: strong('xyzzy') }, true, false, 'there is no date'],
  ['foo', { exists: true }, true, false, 'no date is not the same as no date'],
  ['foo', { exists: true, lastModified: new Date(Number.NaN) }, true, false, 'no date is not the same as no date'],
]
for (const [index, [ifRange, it, strongDate, answer, why]] of RANGES.entries()) {
  test(`isCurrentRange() is ${answer} of ${JSON.stringify(ifRange)}, ${index + 1}: ${why}`, t =>
    t.is(isCurrentRange(ifRange, it, { strongDate }), answer))
}

test('isCurrentRange() takes no date for strong unless it is told', t => {
  t.false(isCurrentRange(EQUAL, current))
  t.false(isCurrentRange(EQUAL, current, {}))
  t.true(isCurrentRange('"xyzzy"', current))
})

test('isPlainlyCurrent() says so only where a 304 is the answer, and where If-None-Match alone is that tag', t => {
  const read = {
    'if-none-match': fc.constantFrom('"a"', 'W/"a"', '"a", "b"', '*', 'a', '"b"', ' "a"'),
    'if-modified-since': fc.constantFrom(OLDER, EQUAL, NEWER),
  }
  const guards = {
    'if-match': fc.constantFrom('"a"', '"b"', '*'),
    'if-unmodified-since': fc.constantFrom(OLDER, EQUAL, NEWER),
  }
  // Of those that may have guards too, few have none.
  const someHeaders = fc.oneof(
    fc.record(read, { requiredKeys: [] }),
    fc.record({ ...read, ...guards }, { requiredKeys: [] }),
  )
  let count = 0
  const property = fc.property(someHeaders, fc.constantFrom(strong('a'), weak('a')), (headers, tag) => {
    if (!isPlainlyCurrent(headers, writeTag(tag))) return
    count += 1
    const current = { exists: true, tag, lastModified: MODIFIED }
    for (const method of ['GET', 'HEAD', 'QUERY'])
      t.is(evaluate(method, readPreconditions(headers), current), 'not-modified', JSON.stringify(headers))
  })
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }))
  t.true(count > 30, `${count}`)
  t.true(isPlainlyCurrent({ 'if-none-match': 'W/"a"', 'if-modified-since': OLDER }, 'W/"a"'))
  t.false(isPlainlyCurrent({}, undefined))
})

// --- vectors ---

interface Case {
  request: Record<string, string>
  response: { etag?: string; 'last-modified'?: string }
  fresh: boolean
}

/** Where the package answers otherwise, by the number of the case, with the section that we follow. */
const OTHERS: Record<number, string> = {
  21: 'RFC 9110 section 13.2.2: Cache-Control is no part of it; RFC 9111 section 5.2.1.4 is for caches',
  22: 'RFC 9110 section 13.2.2: Cache-Control is no part of it; RFC 9111 section 5.2.1.4 is for caches',
}

testVectors(
  'evaluate() says not-modified to what fresh calls fresh, and to what it should',
  'conditional/jshttp-fresh.json',
  (t, text) => {
    const cases: Case[] = JSON.parse(text)
    t.is(cases.length, 23)
    for (const [index, { request, response, fresh }] of cases.entries()) {
      const tag = response.etag === undefined ? undefined : readTag(response.etag)
      const date = response['last-modified']
      const it = { exists: true, tag, lastModified: date === undefined ? undefined : readDate(date) }
      const expected = index in OTHERS ? !fresh : fresh
      const verdict = evaluate('GET', readPreconditions(request), it)
      t.is(verdict, expected ? 'not-modified' : 'perform', `${index} ${JSON.stringify(request)} ${OTHERS[index] ?? ''}`)
    }
  },
)
