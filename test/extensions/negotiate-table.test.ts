import test from 'ava'
import fc from 'fast-check'
import { preferredCharset, preferredEncoding, preferredLanguage, preferredMediaType } from 'kolba/negotiate'
import { testVectors } from '../support/vectors.js'

type Choose = (header: string | undefined, available: readonly string[]) => string | undefined

const ENGINES: Record<string, { choose: Choose; name: string }> = {
  charset: { choose: preferredCharset, name: 'accept-charset' },
  encoding: { choose: preferredEncoding, name: 'accept-encoding' },
  language: { choose: preferredLanguage, name: 'accept-language' },
  mediaType: { choose: preferredMediaType, name: 'accept' },
  type: { choose: preferredMediaType, name: 'accept' },
}

const TIE = 'RFC 9110 12.4.2: equal qualities are equally preferred, so the server chooses'
const ANY = 'RFC 9110 12.5.3, rule 1: without the header any coding is acceptable'

/** What negotiator and accepts answer otherwise, by the engine, the header, and what is available. */
const OTHERWISE: Record<string, { ours: string | undefined; why: string }> = {
  'encoding none gzip': { ours: 'gzip', why: ANY },
  'encoding none gzip|deflate': { ours: 'gzip', why: ANY },
  'encoding *, gzip compress|gzip': { ours: 'compress', why: TIE },
  'encoding gzip, deflate deflate|gzip': { ours: 'deflate', why: TIE },
  'language en-US, en-GB en-GB|en-US': { ours: 'en-GB', why: TIE },
  'mediaType text/html;LEVEL=1;level=2 text/html;level=1': {
    ours: undefined,
    why: 'RFC 6838 4.3: a parameter that is there twice is an error, so the member is malformed',
  },
  'mediaType text/html;level=2, text/html text/html|text/html;level=2': { ours: 'text/html', why: TIE },
  'mediaType text/plain, application/json;q=0.5, text/html, */*;q=0.1 text/html|text/plain': {
    ours: 'text/html',
    why: TIE,
  },
  'mediaType text/plain, application/json;q=0.5, text/html, */*;q=0.1 application/json|text/html|text/plain': {
    ours: 'text/html',
    why: TIE,
  },
  'mediaType text/plain, application/json;q=0.5, text/html, */*;q=0.1 image/jpeg|text/html|text/plain': {
    ours: 'text/html',
    why: TIE,
  },
}

interface Case {
  header: Record<string, string>
  method: string
  args: unknown[]
  result: string | string[] | null | false
}

/** What is available, in the order of the server's preference; undefined where the case is about something else. */
function availableIn({ args, method }: Case): string[] | undefined {
  const [first, options] = args as [unknown, { preferred?: string[] } | undefined]
  const available = (Array.isArray(first) ? first : args) as string[]
  // Without arguments these libraries say what the header says, and file name extensions are theirs to look up.
  if (args.length === 0 || (method === 'types' && available.some(it => !it.includes('/')))) return undefined
  // negotiator has an option for what the order says here.
  const { preferred = [] } = Array.isArray(first) ? (options ?? {}) : {}
  return [...preferred.filter(it => available.includes(it)), ...available.filter(it => !preferred.includes(it))]
}

for (const [file, applicable, total] of [
  ['negotiator', 282, 376],
  ['accepts', 25, 49],
] as const) {
  testVectors(
    `preferred...() chooses as ${file} does, or otherwise for a reason in an RFC`,
    `content-negotiation/${file}.json`,
    (t, text) => {
      const cases = JSON.parse(text) as Case[]
      t.is(cases.length, total)
      const run = cases.filter(it => availableIn(it) !== undefined)
      t.is(run.length, applicable)
      const differences = new Map<string, boolean>()
      for (const it of run) {
        const engine = it.method.replace(/s$/, '')
        const { choose, name } = ENGINES[engine] as { choose: Choose; name: string }
        const available = availableIn(it) as string[]
        const key = `${engine} ${it.header[name] ?? 'none'} ${available.join('|')}`
        const theirs = (Array.isArray(it.result) ? it.result[0] : it.result) || undefined
        const difference = OTHERWISE[key]
        t.is(choose(it.header[name], available), difference ? difference.ours : theirs, `${key}: ${difference?.why}`)
        if (difference) differences.set(key, differences.get(key) || theirs !== difference.ours)
      }
      t.true([...differences.values()].every(Boolean), 'A line of the table is no difference.')
      t.true(differences.size > 0)
    },
  )
}

const JSON_TYPE = 'application/json'
const CSV = 'text/csv'

// [header, available, chosen, where it is said]
const TYPES: [string | undefined, string[], string | undefined, string][] = [
  [undefined, [JSON_TYPE, CSV], JSON_TYPE, 'RFC 9110 12.4.1: no preference'],
  ['', [JSON_TYPE, CSV], JSON_TYPE, 'no preference'],
  [' , ,', [JSON_TYPE, CSV], JSON_TYPE, 'RFC 9110 5.6.1: empty members'],
  ['text/csv', [JSON_TYPE, CSV], CSV, ''],
  ['TEXT/CSV', [JSON_TYPE, CSV], CSV, 'RFC 9110 8.3.1: types have no case'],
  ['image/png', [JSON_TYPE, CSV], undefined, ''],
  ['application/json;q=0', [JSON_TYPE], undefined, 'RFC 9110 12.4.2: 0 is not acceptable'],
  ['application/json;q=0.000, */*;q=0.001', [JSON_TYPE, CSV], CSV, 'RFC 9110 12.4.2'],
  ['*/*, application/json;q=0', [JSON_TYPE, CSV], CSV, 'RFC 9110 12.5.1: the most specific range counts'],
  ['text/*;q=0.1, text/csv, */*;q=0.5', ['text/html', JSON_TYPE, CSV], CSV, ''],
  ['text/*;q=0.1, */*;q=0.5', ['text/html', JSON_TYPE], JSON_TYPE, ''],
  ['text/plain, text/plain;format=flowed;q=0, text/*', ['text/plain; format=flowed', 'text/html'], 'text/html', ''],
  ['text/html;level=3;q=0.7, text/html;q=0.3', ['text/html;level=2'], 'text/html;level=2', 'RFC 9110 12.5.1, table 5'],
  ['text/csv;charset=UTF-8', ['text/csv; charset=utf-8'], 'text/csv; charset=utf-8', 'RFC 9110 8.3.2'],
  ['text/csv;header=Present', ['text/csv; header=present'], undefined, 'RFC 9110 8.3.1: values may have case'],
  [
    'text/csv;q=0.5;header=present',
    ['text/csv;header=present'],
    'text/csv;header=present',
    'RFC 9110 12.5.1: q anywhere',
  ],
  ['text/csv;header=absent', ['text/csv;header=present'], undefined, ''],
  ['a/b;x="text/csv,\\"text/csv", application/json', [CSV, JSON_TYPE], JSON_TYPE, 'RFC 9110 5.6.4: quoted strings'],
  ['text/csv;x="open, application/json', [CSV, JSON_TYPE], undefined, 'nothing after a quote that stays open'],
  ['text/csv;q=2, application/json', [CSV, JSON_TYPE], JSON_TYPE, 'a malformed member is not there'],
  ['text/csv;q=0.1234, application/json;q=0.1', [CSV, JSON_TYPE], JSON_TYPE, 'RFC 9110 12.4.2: three decimals'],
  ['text/csv;q=1.001, application/json;q=0.1', [CSV, JSON_TYPE], JSON_TYPE, 'RFC 9110 12.4.2: at most 1'],
  ['text/csv;q=, text/csv;q=x, text/csv;q="1", csv', [CSV], CSV, 'RFC 9110 5.6.6: a value may be quoted'],
  ['csv', [CSV], undefined, 'RFC 9110 8.3.1: a type has a subtype'],
  ['*/csv', [CSV], undefined, 'RFC 9110 12.5.1: there is no such range'],
  ['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', [JSON_TYPE], JSON_TYPE, 'the client of Java 8'],
  ['text/html, *;q=0.2', [JSON_TYPE, 'text/html'], 'text/html', 'the client of Java 8'],
  [
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    [JSON_TYPE, 'text/html'],
    'text/html',
    'a browser',
  ],
]
test('preferredMediaType() chooses by the most specific range and its quality', t => {
  for (const [header, available, chosen, why] of TYPES)
    t.is(preferredMediaType(header, available), chosen, `${header} ${why}`)
})

const LANGUAGES: [string | undefined, string[], string | undefined, string][] = [
  [undefined, ['en', 'de'], 'en', ''],
  ['de', ['en', 'de'], 'de', ''],
  ['DE-ch', ['en', 'de-CH'], 'de-CH', 'RFC 5646 2.1.1: tags have no case'],
  ['en', ['de', 'en-US'], 'en-US', 'RFC 4647 3.3.1: basic filtering'],
  ['en', ['en-US', 'en'], 'en', 'the exact one first'],
  ['en', ['en-Latn-US', 'en-GB'], 'en-Latn-US', 'the server chooses'],
  ['en-US', ['de', 'en'], 'en', 'RFC 4647 3.4: lookup'],
  ['zh-Hant-TW', ['zh', 'zh-Hant'], 'zh-Hant', 'RFC 4647 3.4: from the end'],
  ['zh-Hant-CN-x-private1-private2', ['zh-Hans', 'zh'], 'zh', 'RFC 4647 3.4'],
  ['de-CH, en;q=0.8', ['en', 'de'], 'de', 'RFC 4647 3.4: by priority'],
  ['de-CH, *;q=0', ['en', 'de'], 'de', 'RFC 4647 3.4: * is for what nothing else finds'],
  ['en, de;q=0.5', ['end', 'de'], 'de', 'RFC 4647 3.3.1: whole subtags'],
  ['en-US;q=0, en', ['en-US', 'en-GB'], 'en-GB', 'the most specific range counts'],
  ['en-US;q=0', ['en'], undefined, 'what is refused is American English'],
  ['en;q=0', ['en-US'], undefined, 'RFC 4647 3.3.1'],
  ['en;q=0, *', ['en', 'fr'], 'fr', ''],
  ['fr', ['en', 'de'], undefined, ''],
]
test('preferredLanguage() filters, and then looks up', t => {
  for (const [header, available, chosen, why] of LANGUAGES)
    t.is(preferredLanguage(header, available), chosen, `${header} ${why}`)
})

const CODINGS: [string | undefined, string[], string | undefined, string][] = [
  [undefined, ['br', 'gzip', 'identity'], 'identity', 'the client that says nothing may not know one'],
  [undefined, ['br', 'gzip'], 'br', 'RFC 9110 12.5.3, rule 1'],
  ['', ['br', 'identity'], 'identity', 'RFC 9110 12.5.3: an empty header wants no coding'],
  ['', ['br'], undefined, 'RFC 9110 12.5.3: an empty header wants no coding'],
  ['gzip, br', ['br', 'gzip', 'identity'], 'br', ''],
  ['gzip;q=0.001', ['identity', 'gzip'], 'gzip', 'what is named comes before what is not'],
  ['gzip;q=0.5, identity', ['identity', 'gzip'], 'identity', ''],
  ['zstd', ['br', 'identity'], 'identity', 'RFC 9110 12.5.3, rule 2'],
  ['zstd, identity;q=0', ['br', 'identity'], undefined, 'RFC 9110 12.5.3, rule 2'],
  ['zstd, *;q=0', ['br', 'identity'], undefined, 'RFC 9110 12.5.3, rule 2'],
  ['*;q=0, identity', ['br', 'identity'], 'identity', ''],
  ['*', ['br', 'identity'], 'br', ''],
  ['x-gzip', ['gzip'], 'gzip', 'RFC 9110 8.4.1.3'],
  ['GZIP ; Q=0.5', ['gzip'], 'gzip', 'RFC 9110 8.4.1: codings have no case'],
  ['gzip;q=0.5;x=1, br;level=5, deflate', ['gzip', 'br', 'deflate'], 'deflate', 'there are no parameters but q'],
]
test('preferredEncoding() chooses a coding, or identity where it is not refused', t => {
  for (const [header, available, chosen, why] of CODINGS)
    t.is(preferredEncoding(header, available), chosen, `${header} ${why}`)
})

// The header is made of what it says, so what is to be chosen is known without reading it.
const quality = fc.integer({ min: 0, max: 1000 }).map(it => it / 1000)
const space = fc.constantFrom('', ' ', '\t', '  ')

test('preferredMediaType() takes the highest quality, and the first of equal ones, however the header is written', t => {
  const names = ['a/a', 'a/b', 'b/b', 'c/c']
  const members = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), quality, space, fc.boolean()), {
    selector: ([name]) => name,
    minLength: 1,
  })
  const property = fc.property(members, fc.shuffledSubarray(names), (members, available) => {
    const header = members
      .map(([name, q, s, isUpper]) => `${s}${isUpper ? name.toUpperCase() : name}${s};${s}${isUpper ? 'Q' : 'q'}=${q}`)
      .join(',bad,,')
    const qualities = available.map(it => members.find(([name]) => name === it)?.[1] ?? 0)
    const highest = Math.max(0, ...qualities)
    t.is(preferredMediaType(header, available), highest > 0 ? available[qualities.indexOf(highest)] : undefined, header)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 500 }))
})

test('preferred...() gives one of what there is, or nothing, for any header', t => {
  const word = fc.constantFrom(
    'a/b',
    '*',
    '*/*',
    'a/*',
    'en',
    'en-US',
    'gzip',
    ';q=',
    '0',
    '1',
    '.5',
    ',',
    ';',
    '"',
    '\\',
    ' ',
    '=',
  )
  const header = fc.oneof(
    fc.string(),
    fc.array(word).map(it => it.join('')),
  )
  const property = fc.property(header, header => {
    for (const { choose } of Object.values(ENGINES)) {
      const available = ['a/b', 'en', 'gzip', 'identity']
      const chosen = choose(header, available)
      t.true(chosen === undefined || available.includes(chosen))
    }
  })
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }))
})

// A cost that grows with the square would be 10^13 steps here, and the test would not end.
const LONG = 4_000_000
for (const [title, text] of Object.entries({
  commas: ','.repeat(LONG),
  quotes: '"'.repeat(LONG - 1),
  'an open quote': `a/b;x="${'a'.repeat(LONG)}`,
  backslashes: `a/b;x="${'\\'.repeat(LONG)}`,
  spaces: `a${' '.repeat(LONG)}b`,
  'spaces around semicolons': `a/b${'; '.repeat(LONG / 2)}x`,
  semicolons: `a/b${';'.repeat(LONG)}`,
  stars: '*'.repeat(LONG),
  slashes: '/'.repeat(LONG),
  tags: `en${'-a'.repeat(LONG / 2)}`,
  digits: `a;q=${'0'.repeat(LONG)}`,
})) {
  test(`preferred...() reads ${title} in one pass`, t => {
    for (const { choose } of Object.values(ENGINES)) t.notThrows(() => choose(text, ['a/b', 'en', 'gzip']))
  })
}
