import fc from 'fast-check'
import { type Kolba, kolba } from 'kolba'
import { collection, links, type Resource, relation, resource } from 'kolba/collection'
import { json } from 'kolba/json'
import { prefer } from 'kolba/prefer'
import type { Kysely } from 'kysely'
import { MemoryLogger } from './memory-logger.ts'
import type { Tables } from './sqlite.ts'

// Queries that nobody sends who means well, and a collection that they are sent to, in every language.

/** What stands in the columns that nobody may see. */
export const SECRET = 'hunter2'

export const STYLES = ['default', 'classic', 'jsonapi', 'react-admin', 'json-server'] as const

/** What an item may have. */
export const DECLARED = new Set(['id', 'name', 'note', 'age', 'status', 'created', 'active', 'friend', '_links'])

/** Text that has broken something somewhere. */
export const ATTACKS: readonly string[] = [
  "'",
  '"',
  '`',
  ';',
  '--',
  '/*',
  "' or '1'='1",
  "' or 1=1 --",
  "'; drop table person; --",
  "x' union select password from person --",
  '1; select pg_sleep(10)',
  '1 and sleep(10)',
  "'||(select password from person limit 1)||'",
  "\\'; drop table person; --",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what some loggers run
  '${jndi:ldap://127.0.0.1/x}',
  '{{7*7}}',
  '$1',
  '?',
  '??',
  ':name',
  '@name',
  '%s%s%n',
  '[object Object]',
  '[$ne]',
  '{"$gt":""}',
  '{"$where":"sleep(1000)"}',
  '__proto__',
  'constructor',
  'prototype',
  '__proto__.x',
  'constructor.prototype.x',
  'hasOwnProperty',
  'toString',
  'then',
  'length',
  'password',
  'secret',
  'person.password',
  'friend.secret',
  'friend_id',
  'friend.friend.friend.friend',
  'name.length',
  'id) from person --',
  'name" desc, "password',
  'kolba0',
  'rowid',
  '*',
  '**',
  '(a+)+$',
  '(.*)*x',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '[[:alpha:]]{1000000}',
  '%',
  '_',
  '%%%%%%%%%%%%%%%%%%%%%%x',
  '!%!_!!',
  '\\',
  '\\,',
  'a\\',
  ',',
  ',,,,',
  ';;;;',
  '\0',
  'a\0b',
  '\n',
  '\r\nSet-Cookie: x=1',
  '\u2028',
  '\ufeff',
  '\u202e',
  'ſ',
  '\u212a',
  'İ',
  'ß',
  '\ud83d\ude00',
  '\ue000',
  '\uffff',
  'a\u0301',
  '٣',
  '１',
  '0',
  '-0',
  '+1',
  '1e5',
  '1e400',
  '-1e400',
  '1e-400',
  '0x10',
  '0b1',
  '1_000',
  '1,5',
  'NaN',
  'Infinity',
  '-Infinity',
  'null',
  'undefined',
  'true',
  'TRUE',
  '9007199254740992',
  '9223372036854775808',
  '99999999999999999999999999999999',
  '0.1e-324',
  '1'.repeat(400),
  '2026-02-30',
  '2026-02-28T25:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '-271821-04-19T23:59:59Z',
  '0000-01-01',
  '9999-12-31T23:59:59.999-23:59',
  '1e21',
  '-',
  '--name',
  '-name,-name',
  '[]',
  '[[]]',
  '{}',
  '["name","ASC"]',
  '["__proto__","DESC"]',
  '[0,9999999999]',
  '[-1,-2]',
  '[1e400,1]',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"name":{"__proto__":1}}',
  'AAAA',
  '-_-_',
  'eyJhbGciOiJub25lIn0',
  '../../etc/passwd',
  '<script>alert(1)</script>',
]

/** Text as long as it may be, and longer. */
export const LONG: readonly string[] = [
  'a'.repeat(256),
  '*a'.repeat(127),
  `${'*a'.repeat(127)}*b`,
  `${'a*'.repeat(127)}b`,
  '*'.repeat(256),
  '%'.repeat(255),
  'a'.repeat(257),
  'a'.repeat(10_240),
  'é'.repeat(2_000),
  '1,'.repeat(5_000),
  ','.repeat(10_240),
  '-'.repeat(10_240),
  '\\'.repeat(10_240),
  '['.repeat(10_240),
  '{"a":'.repeat(2_000),
  'name,'.repeat(2_000),
  'friend.'.repeat(1_400),
  "'".repeat(10_240),
]

export interface Person {
  readonly id: number
  readonly name: string | null
  readonly note: string | null
  readonly age: number | null
  readonly status: string | null
  readonly created: Date | null
  readonly active: boolean | null
  readonly friend_id: number | null
  readonly secret: string
  readonly password: string
}

/** Rows that have such text in them, as far as every database can hold it. */
export const PEOPLE: readonly Person[] = [...ATTACKS, ...LONG]
  .filter(text => !text.includes('\0'))
  .flatMap(text => [text, text.repeat(2).slice(0, 400)])
  .map((text, index) => ({
    id: index + 1,
    name: index % 9 === 0 ? null : text.slice(0, 400),
    // What a pattern could go astray in.
    note: index % 100 === 0 ? 'a'.repeat(5_000) : text.slice(0, 20),
    age: index % 7 === 0 ? null : (index % 90) + 0.5,
    status: index % 5 === 0 ? null : index % 2 === 0 ? 'new' : 'old',
    created: index % 6 === 0 ? null : new Date(Date.UTC(2020, 0, 1) + index * 86_400_000),
    active: index % 4 === 0 ? null : index % 3 === 0,
    friend_id: index % 3 === 0 ? null : (index % 50) + 1,
    secret: SECRET,
    password: SECRET,
  }))

/** One route for each language, over what `rows` gives. */
export function peopleApp(rows: () => object): { app: Kolba; logger: MemoryLogger } {
  const logger = new MemoryLogger()
  // So that what is long comes as far as the collection.
  const limits = { url: 262_144, headerBytes: 262_144 }
  const app = kolba({ signals: false, logger, limits })
  const people: Resource = resource({
    fields: {
      id: 'number',
      name: 'string',
      note: 'string',
      age: 'number',
      status: ['new', 'old'],
      created: 'date',
      active: 'boolean',
      secret: { type: 'string', filter: false, sort: false, select: false },
    },
    search: ['name', 'note'],
    expand: { friend: relation({ from: 'friend_id', resource: () => people, load: rows }) },
  })
  for (const style of STYLES) {
    const isFlat = style === 'react-admin' || style === 'json-server'
    const paging = isFlat ? 'offset' : (['page', 'offset', 'cursor'] as const)
    const stack = [prefer(), json(), links(({ id }) => ({ self: `/people/${id}` }))] as const
    const body = collection(people, { style, paging, name: 'items', secret: 'x'.repeat(32) })
    app.route(['GET', 'QUERY'], `/${style}`, ...stack, body, rows)
  }
  return { app, logger }
}

/** The rows as a table. */
export async function peopleIn(db: Kysely<Tables>, database: 'sqlite' | 'postgres'): Promise<() => object> {
  const [number, date, boolean] =
    database === 'sqlite'
      ? (['real', 'text', 'integer'] as const)
      : (['double precision', 'timestamptz', 'boolean'] as const)
  let table = db.schema.createTable('person').addColumn('id', 'integer', column => column.primaryKey())
  for (const name of ['name', 'note', 'status', 'secret', 'password']) table = table.addColumn(name, 'text')
  table = table.addColumn('age', number).addColumn('created', date).addColumn('active', boolean)
  await table.addColumn('friend_id', 'integer').execute()
  const plain = ({ created, active, ...person }: Person) => ({
    ...person,
    created: created?.toJSON() ?? null,
    active: active === null || database === 'postgres' ? active : Number(active),
  })
  await db.insertInto('person').values(PEOPLE.map(plain)).execute()
  return () => db.selectFrom('person')
}

export interface Hostile {
  readonly method: 'GET' | 'QUERY'
  readonly path: string
  readonly body?: string
  readonly lenient: boolean
}

const FIELDS = ['id', 'name', 'note', 'age', 'status', 'created', 'active']
const OPERATORS = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'nin', 'like', 'null', 'between', 'ge', 'le']
const GOOD = [
  'name',
  '-age,name',
  'id,name',
  'friend',
  'a',
  'A*',
  '5',
  '1,5',
  'new',
  'true',
  '2026-02-28',
  '1',
  '20',
  '0',
]
const PARAMETERS: Readonly<Record<(typeof STYLES)[number], readonly string[]>> = {
  default: ['sort', 'fields', 'expand', 'q', 'page', 'per_page', 'offset', 'limit', 'cursor'],
  classic: ['filter', 'sort', 'fields', 'expand', 'q', 'page', 'per_page', 'cursor', 'limit'],
  jsonapi: ['sort', 'fields[people]', 'include', 'filter[q]', 'page[number]', 'page[size]', 'page[cursor]'],
  'react-admin': ['sort', 'range', 'filter', 'embed'],
  'json-server': ['_sort', '_order', '_start', '_end', '_expand', 'q'],
}

/** Any queries, of any language: parts that are right, parts that are not, and parts that are none at all. */
export function hostileQueries(cursors: readonly string[]): fc.Arbitrary<Hostile> {
  const text = fc.oneof(
    { arbitrary: fc.constantFrom(...GOOD), weight: 6 },
    { arbitrary: fc.constantFrom(...ATTACKS), weight: 5 },
    { arbitrary: fc.constantFrom(...LONG), weight: 1 },
    { arbitrary: fc.tuple(fc.constantFrom(...ATTACKS), fc.constantFrom(...ATTACKS)).map(it => it.join('')), weight: 2 },
    { arbitrary: fc.string({ unit: 'binary', maxLength: 30 }), weight: 2 },
    { arbitrary: fc.double().map(String), weight: 1 },
    { arbitrary: fc.array(fc.constantFrom(...GOOD, ...ATTACKS), { maxLength: 8 }).map(it => it.join(',')), weight: 1 },
    { arbitrary: tampered(cursors), weight: 1 },
  )
  const field = fc.oneof({ arbitrary: fc.constantFrom(...FIELDS), weight: 3 }, fc.constantFrom(...ATTACKS))
  const operator = fc.oneof({ arbitrary: fc.constantFrom(...OPERATORS), weight: 3 }, fc.constantFrom(...ATTACKS))
  const brackets = fc
    .tuple(field, fc.array(operator, { maxLength: 3 }))
    .map(([field, operators]) => `${field}${operators.map(it => `[${it}]`).join('')}`)
  const deep = fc.nat(200).map(depth => `name${'['.repeat(depth)}${']'.repeat(depth)}`)

  const json = fc.oneof(
    { arbitrary: fc.json({ maxDepth: 5 }), weight: 1 },
    { arbitrary: fc.constantFrom('', '[', 'null', '"x"', '[[[[]]]]', '1e999', '{"filter":1e999}'), weight: 1 },
    { arbitrary: fc.nat(3000).map(depth => `${'{"filter":'.repeat(depth)}1${'}'.repeat(depth)}`), weight: 1 },
    { arbitrary: objects(field, operator, text), weight: 6 },
  )
  const filter = fc.tuple(field, operator, text).map(it => it.join(','))

  return fc.constantFrom(...STYLES).chain(style => {
    const own = fc.constantFrom(...PARAMETERS[style])
    const inStyle = style === 'jsonapi' ? brackets.map(it => `filter[${it.replace('[', '][')}`) : brackets
    const name = fc.oneof(
      { arbitrary: own, weight: 4 },
      { arbitrary: inStyle, weight: 4 },
      { arbitrary: fc.tuple(field, fc.constantFrom('_gte', '_like', '_ne', '_q')).map(it => it.join('')), weight: 1 },
      { arbitrary: fc.oneof(deep, fc.constantFrom(...ATTACKS, '')), weight: 1 },
    )
    const value = style === 'classic' ? fc.oneof(text, filter) : style === 'react-admin' ? fc.oneof(text, json) : text
    const pair = fc.tuple(name, value, spelling).map(([name, value, spell]) => `${spell(name)}=${spell(value)}`)
    return fc
      .record({
        method: fc.constantFrom('GET', 'GET', 'GET', 'QUERY'),
        pairs: fc.array(pair, { maxLength: 6 }),
        many: fc.nat(40),
        body: json,
        lenient: fc.nat(3).map(it => it === 0),
      })
      .map(({ method, pairs, many, body, lenient }): Hostile => {
        // Now and then a hundred and more of them.
        const query = (
          many === 0 ? Array.from({ length: 120 }, (_, index) => pairs[index % 6] ?? `a${index}`) : pairs
        ).join('&')
        if (method === 'GET') return { method, path: `/${style}?${query}`.slice(0, 120_000), lenient }
        return { method: 'QUERY', path: `/${style}`, body, lenient }
      })
  })
}

/** How text is written in a URL: as it should be, broken, or as it stands, as far as HTTP lets it through. */
const spelling = fc.constantFrom(
  ...[encode, encode, encode, encode, encode].map(it => (text: string) => it(text)),
  (text: string) => encode(text).replaceAll('%20', '+'),
  (text: string) => text.replace(/[^!-~]|[#&]/g, encode),
  (text: string) =>
    encode(text).replace(/%../, it => ['%', '%zz', '%c0%ae', '%ff', '%00', '%ed%a0%80'][text.length % 6] ?? it),
  (text: string) => encode(encode(text)),
)

export function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** Cursors that were given out, and what becomes of them in the wrong hands. */
function tampered(cursors: readonly string[]): fc.Arbitrary<string> {
  const change = fc.constantFrom<(text: string, at: number) => string>(
    text => text,
    (text, at) => text.slice(0, at % text.length),
    (text, at) => text.slice(at % text.length),
    (text, at) =>
      `${text.slice(0, at % text.length)}${text[at % text.length] === 'A' ? 'B' : 'A'}${text.slice((at % text.length) + 1)}`,
    text => `${text}A`,
    text => `${text}=`,
    text => text.repeat(2),
    text => [...text].reverse().join(''),
    text => text.toLowerCase(),
    text => text.replaceAll('-', '+').replaceAll('_', '/'),
  )
  return fc.tuple(fc.constantFrom(...cursors), change, fc.nat()).map(([text, change, at]) => change(text, at))
}

/** Bodies of a QUERY as text, so that a name may be there twice, or be `__proto__`. */
function objects(
  field: fc.Arbitrary<string>,
  operator: fc.Arbitrary<string>,
  text: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const quoted = text.map(it => JSON.stringify(it))
  const value = fc.oneof(
    { arbitrary: quoted, weight: 4 },
    { arbitrary: fc.json({ maxDepth: 2 }), weight: 1 },
    {
      arbitrary: fc.constantFrom(
        '1',
        '-0',
        '1e999',
        '12345678901234567890',
        'null',
        'true',
        '[]',
        '{}',
        '[1,"a",null]',
      ),
      weight: 2,
    },
    { arbitrary: fc.array(quoted, { maxLength: 5 }).map(it => `[${it.join()}]`), weight: 1 },
  )
  const object = (name: fc.Arbitrary<string>, its: fc.Arbitrary<string>) =>
    fc
      .array(fc.tuple(name, its), { maxLength: 4 })
      .map(all => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`)
  const condition = fc.oneof(value, object(operator, value))
  const members = [
    'filter',
    'filter',
    'filter',
    'q',
    'sort',
    'fields',
    'expand',
    'page',
    'per_page',
    'offset',
    'limit',
    'cursor',
  ]
  const member = fc.oneof({ arbitrary: fc.constantFrom(...members), weight: 8 }, field)
  return object(member, fc.oneof(value, object(field, condition)))
}
