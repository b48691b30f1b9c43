import test from 'ava'
import { type LanguageOptions, queryReader } from '../../../extensions/collection/query.ts'
import { type Resource, resource } from '../../../extensions/collection/resource.ts'
import { json } from '../../../extensions/json.ts'
import { kolba, when } from '../../../src/index.ts'
import { appOf, ask, type Plain, people, plain, send } from '../../support/asked.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'

const date = (text: string) => new Date(text).toJSON()

type Row = [query: string, expected: Plain]

const GOOD: Record<NonNullable<LanguageOptions['style']>, Row[]> = {
  default: [
    ['', {}],
    ['name=x', { where: [['name', 'eq', 'x']] }],
    ['name[eq]=x', { where: [['name', 'eq', 'x']] }],
    ['name%5Beq%5D=x', { where: [['name', 'eq', 'x']] }],
    ['name=', { where: [['name', 'eq', '']] }],
    ['name', { where: [['name', 'eq', '']] }],
    ['name=a,b', { where: [['name', 'eq', 'a,b']] }],
    ['name=a%5C,b', { where: [['name', 'eq', 'a\\,b']] }],
    ['name=a+b%2Bc', { where: [['name', 'eq', 'a b+c']] }],
    ['name=%F0%9F%98%80', { where: [['name', 'eq', '😀']] }],
    [
      'name[ne]=x&name[like]=A*',
      {
        where: [
          ['name', 'ne', 'x'],
          ['name', 'like', 'A*'],
        ],
      },
    ],
    [
      'age[gte]=30&age[lt]=40.5',
      {
        where: [
          ['age', 'gte', 30],
          ['age', 'lt', 40.5],
        ],
      },
    ],
    ['age=-1e3', { where: [['age', 'eq', -1000]] }],
    ['age=9007199254740991', { where: [['age', 'eq', 9007199254740991]] }],
    ['age[between]=1,5', { where: [['age', 'between', 1, 5]] }],
    ['age[in]=1,2,3', { where: [['age', 'in', 1, 2, 3]] }],
    ['age[nin]=1', { where: [['age', 'nin', 1]] }],
    ['status[in]=new&status[in]=old', { where: [['status', 'in', 'new', 'old']] }],
    ['name[in]=Smith%5C,+John,Doe,a%5C%5Cb', { where: [['name', 'in', 'Smith, John', 'Doe', 'a\\b']] }],
    ['name[in]=', { where: [['name', 'in', '']] }],
    ['active=true', { where: [['active', 'eq', true]] }],
    [
      'active=0&active[null]=1',
      {
        where: [
          ['active', 'eq', false],
          ['active', 'null', true],
        ],
      },
    ],
    ['created[gte]=2026-02-28', { where: [['created', 'gte', date('2026-02-28')]] }],
    ['created[lt]=2026-02-28T12:30:00%2B01:00', { where: [['created', 'lt', date('2026-02-28T11:30:00Z')]] }],
    ['created[null]=false', { where: [['created', 'null', false]] }],
    ['q=free+text', { q: 'free text' }],
    ['q=', {}],
    ['sort=-age,name', { order: '-age,name,id' }],
    ['sort=name,-id,age', { order: 'name,-id' }],
    ['sort=', {}],
    ['fields=name,id,name', { fields: ['id', 'name'] }],
    ['expand=country,country.continent,country', { expand: ['country', 'country.continent'] }],
    ['page=3&per_page=10', { page: { kind: 'page', page: 3, perPage: 10 } }],
    ['per_page=100', { page: { kind: 'page', page: 1, perPage: 100 } }],
    ['&&age=1&', { where: [['age', 'eq', 1]] }],
  ],
  classic: [
    ['', {}],
    [
      'filter=age,ge,30;name,eq,x',
      {
        where: [
          ['age', 'gte', 30],
          ['name', 'eq', 'x'],
        ],
      },
    ],
    [
      'filter=age,le,30;age,gt,1;age,lt,50;age,ne,7',
      {
        where: [
          ['age', 'lte', 30],
          ['age', 'gt', 1],
          ['age', 'lt', 50],
          ['age', 'ne', 7],
        ],
      },
    ],
    [
      'filter=status,in,new,old;age,between,1,5;created,null,true;name,nin,x',
      {
        where: [
          ['status', 'in', 'new', 'old'],
          ['age', 'between', 1, 5],
          ['created', 'null', true],
          ['name', 'nin', 'x'],
        ],
      },
    ],
    ['filter=name,eq,Smith%5C,+J%5C;x%5C%5C', { where: [['name', 'eq', 'Smith, J;x\\']] }],
    ['filter=name,like,A*', { where: [['name', 'like', 'A*']] }],
    ['filter=name,eq,', { where: [['name', 'eq', '']] }],
    ['filter=', {}],
    ['sort=age,desc;name,asc', { order: '-age,name,id' }],
    ['sort=age', { order: 'age,id' }],
    ['sort=', {}],
    ['expand=1', { expand: ['country', 'friends'] }],
    ['expand=0', {}],
    ['expand=country', { expand: ['country'] }],
    [
      'fields=id,name&q=x&page=2&per_page=10',
      { fields: ['id', 'name'], q: 'x', page: { kind: 'page', page: 2, perPage: 10 } },
    ],
  ],
  jsonapi: [
    ['', {}],
    [
      'filter[age][gte]=30&filter[name]=x',
      {
        where: [
          ['age', 'gte', 30],
          ['name', 'eq', 'x'],
        ],
      },
    ],
    ['filter[status][in]=new,old', { where: [['status', 'in', 'new', 'old']] }],
    ['filter[q]=x', { q: 'x' }],
    ['q=x', { q: 'x' }],
    ['sort=-age,name', { order: '-age,name,id' }],
    ['fields[people]=id,name', { fields: ['id', 'name'] }],
    ['fields=id', { fields: ['id'] }],
    ['include=country.continent', { expand: ['country.continent'] }],
    ['include=', {}],
    ['page[number]=2&page[size]=10', { page: { kind: 'page', page: 2, perPage: 10 } }],
  ],
  'react-admin': [
    ['', { page: { kind: 'offset', offset: 0, limit: 100 } }],
    // As getList, getManyReference and getMany of ra-data-simple-rest 5 write them.
    [
      'filter=%7B%7D&range=%5B0%2C24%5D&sort=%5B%22name%22%2C%22ASC%22%5D',
      { order: 'name,id', page: { kind: 'offset', offset: 0, limit: 25 } },
    ],
    [
      'embed=%5B%22country%22%5D&filter=%7B%22q%22%3A%22x%22%2C%22age%22%3A30%7D&range=%5B10%2C19%5D&sort=%5B%22id%22%2C%22DESC%22%5D',
      {
        where: [['age', 'eq', 30]],
        q: 'x',
        expand: ['country'],
        order: '-id',
        page: { kind: 'offset', offset: 10, limit: 10 },
      },
    ],
    [
      'filter=%7B%22id%22%3A%5B123%2C456%5D%7D',
      { where: [['id', 'in', 123, 456]], page: { kind: 'offset', offset: 0, limit: 100 } },
    ],
    [
      'filter={"age_gte":30,"age_lte":"60","name_neq":"x","name_q":"y","status_eq_any":["new"],"active_null":false,"id_neq_any":[1],"created_gt":"2026-01-01"}',
      {
        where: [
          ['age', 'gte', 30],
          ['age', 'lte', 60],
          ['name', 'ne', 'x'],
          ['name', 'like', '*y*'],
          ['status', 'in', 'new'],
          ['active', 'null', false],
          ['id', 'nin', 1],
          ['created', 'gt', date('2026-01-01')],
        ],
        page: { kind: 'offset', offset: 0, limit: 100 },
      },
    ],
    [
      'filter={"age":{"gte":30,"lt":60},"active":true}&embed="country"',
      {
        where: [
          ['age', 'gte', 30],
          ['age', 'lt', 60],
          ['active', 'eq', true],
        ],
        expand: ['country'],
        page: { kind: 'offset', offset: 0, limit: 100 },
      },
    ],
  ],
  'json-server': [
    ['', { page: { kind: 'offset', offset: 0, limit: 100 } }],
    // As getList and getMany of @refinedev/simple-rest 6 write them.
    [
      '_end=10&_order=desc%2Casc&_sort=age%2Cname&_start=0&age_gte=30&age_lte=60&name_like=x&status_ne=old',
      {
        where: [
          ['age', 'gte', 30],
          ['age', 'lte', 60],
          ['name', 'like', '*x*'],
          ['status', 'ne', 'old'],
        ],
        order: '-age,name,id',
        page: { kind: 'offset', offset: 0, limit: 10 },
      },
    ],
    ['id=1&id=2', { where: [['id', 'in', 1, 2]], page: { kind: 'offset', offset: 0, limit: 100 } }],
    ['id=1', { where: [['id', 'eq', 1]], page: { kind: 'offset', offset: 0, limit: 100 } }],
    [
      'id_ne=1&id_ne=2&q=x&_sort=name',
      { where: [['id', 'nin', 1, 2]], q: 'x', order: 'name,id', page: { kind: 'offset', offset: 0, limit: 100 } },
    ],
    [
      'age_gt=1&age_lt=5&_start=20',
      {
        where: [
          ['age', 'gt', 1],
          ['age', 'lt', 5],
        ],
        page: { kind: 'offset', offset: 20, limit: 20 },
      },
    ],
    [
      '_expand=country&_embed=friends&_end=5',
      { expand: ['country', 'friends'], page: { kind: 'offset', offset: 0, limit: 5 } },
    ],
  ],
}

for (const [style, rows] of Object.entries(GOOD)) {
  test(`queryReader() reads the language ${style}`, async t => {
    const app = appOf({ style: style as never })
    for (const [query, expected] of rows) {
      const { status, body } = await ask(app, query)
      t.is(status, 200, query)
      t.deepEqual(body, expected, query)
    }
  })
}

const BODIES: [body: unknown, expected: Plain][] = [
  [{}, {}],
  [
    { filter: { age: { gte: 30, lt: 60 }, name: 'x', status: ['new', 'old'] } },
    {
      where: [
        ['age', 'gte', 30],
        ['age', 'lt', 60],
        ['name', 'eq', 'x'],
        ['status', 'in', 'new', 'old'],
      ],
    },
  ],
  [
    {
      filter: { created: '2026-02-28', active: false, age: { between: [1, 2] }, name: { null: true, ne: ['a', 'b'] } },
    },
    {
      where: [
        ['created', 'eq', date('2026-02-28')],
        ['active', 'eq', false],
        ['age', 'between', 1, 2],
        ['name', 'null', true],
        ['name', 'nin', 'a', 'b'],
      ],
    },
  ],
  [{ filter: { q: 'x' } }, { q: 'x' }],
  [
    { q: 'x', sort: '-age' },
    { q: 'x', order: '-age,id' },
  ],
  [
    { sort: ['-age', 'name'], fields: ['name'], expand: ['country'] },
    { order: '-age,name,id', fields: ['name'], expand: ['country'] },
  ],
  [
    { sort: '', fields: 'id,name', expand: 'country,friends' },
    { fields: ['id', 'name'], expand: ['country', 'friends'] },
  ],
  [{ page: 2, per_page: 10 }, { page: { kind: 'page', page: 2, perPage: 10 } }],
]

test('queryReader() reads the JSON of a QUERY, the same for every style', async t => {
  for (const style of ['default', 'classic', 'jsonapi'] as const) {
    const app = appOf({ style })
    for (const [body, expected] of BODIES) {
      const answer = await send(app, body)
      t.is(answer.status, 200, JSON.stringify(body))
      t.deepEqual(answer.body, expected, JSON.stringify(body))
      t.is(answer.headers.get('accept-query'), 'application/json')
    }
  }
})

test('queryReader() takes the body of a QUERY that something above has read', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const read = queryReader(people)
  app.query('/', json(), ctx => {
    Object.assign(ctx, { input: { body: { filter: { age: 5 } } } })
    return when(read(ctx), plain)
  })
  const response = await app.client().query('/')
  t.deepEqual(await response.json(), { where: [['age', 'eq', 5]] })
})

test('queryReader() answers 415 with Accept-Query to a QUERY of another type, and 400 to one without a body', async t => {
  const app = appOf()
  const other = await app.client().query('/', { body: 'name=x', headers: { 'content-type': 'text/plain' } })
  t.is(other.status, 415)
  t.is(other.headers.get('accept-query'), 'application/json')
  t.is(other.headers.get('accept'), 'application/json')
  t.is((await app.client().query('/')).status, 400)
  t.is((await app.client().query('/', { body: '{', headers: { 'content-type': 'application/json' } })).status, 400)
})

test('queryReader() chooses among several kinds of pages by the parameters that are there', async t => {
  const app = appOf({ paging: ['page', 'offset', 'cursor'] })
  const rows: [string, object | undefined][] = [
    ['', undefined],
    ['per_page=5', { kind: 'page', page: 1, perPage: 5 }],
    ['offset=7', { kind: 'offset', offset: 7, limit: 20 }],
    ['limit=7', { kind: 'offset', offset: 0, limit: 7 }],
    ['limit=7&offset=0', { kind: 'offset', offset: 0, limit: 7 }],
    ['cursor=', { kind: 'cursor', limit: 20 }],
    ['cursor=abc&limit=5', { kind: 'cursor', cursor: 'abc', limit: 5 }],
    ['cursor=abc&per_page=5', { kind: 'cursor', cursor: 'abc', limit: 5 }],
  ]
  for (const [query, page] of rows) t.deepEqual((await ask(app, query)).body.page, page, query)
  const cursors = appOf({ paging: 'cursor', style: 'jsonapi', perPage: 7 })
  t.deepEqual((await ask(cursors, 'page[cursor]=x')).body.page, { kind: 'cursor', cursor: 'x', limit: 7 })
  t.deepEqual((await ask(cursors, 'page[size]=9')).body.page, { kind: 'cursor', limit: 9 })
  const offsets = appOf({ paging: ['offset'], style: 'jsonapi', maxPerPage: 5 })
  t.deepEqual((await ask(offsets, 'page[offset]=3&page[limit]=4')).body.page, { kind: 'offset', offset: 3, limit: 4 })
  t.deepEqual((await ask(offsets, '')).body.page, { kind: 'offset', offset: 0, limit: 5 })
  t.deepEqual((await send(offsets, { offset: 3 })).body.page, { kind: 'offset', offset: 3, limit: 5 })
})

const UNKNOWN =
  'There is no such parameter. Fields to filter by are id, name, age, status, created and active, as name=x or name[ne]=x. Others are sort, fields, expand, q, page and per_page.'
const NUMBER = 'Expected a number.'
const DATE = 'Expected a date such as 2026-02-28 or 2026-02-28T12:30:00Z.'
const TEXT = 'Expected well-formed text of at most 2048 bytes, without U+0000.'
const LIKE = 'Expected a pattern of at most 256 characters, in which * stands for any.'
const DIGITS = 'Expected a number that loses no digits: a whole one is at most 9007199254740991.'
const TWICE = 'This is there twice. Send it once.'
const SORTABLE = 'There is no such field to sort by. There are id, name, age, status, created and active.'
const long = 'x'.repeat(3000)

type Wrong = [query: string, parameter: string, detail: string, pointer?: string]

const WRONG: Record<NonNullable<LanguageOptions['style']>, Wrong[]> = {
  default: [
    ['colour=red', 'colour', UNKNOWN],
    ['secret=x', 'secret', UNKNOWN],
    ['country_id=1', 'country_id', UNKNOWN],
    ['offset=1', 'offset', UNKNOWN],
    ['toString=1', 'toString', UNKNOWN],
    ['__proto__[x]=1', '__proto__[x]', UNKNOWN],
    ['age[gte][x]=1', 'age[gte][x]', UNKNOWN],
    ['[gte]=1', '[gte]', UNKNOWN],
    ['=1', '', UNKNOWN],
    [`${long}=1`, `${'x'.repeat(64)}...`, UNKNOWN],
    ['age=x', 'age', NUMBER],
    ['age=', 'age', NUMBER],
    ['age=0x10', 'age', NUMBER],
    ['age=+1', 'age', NUMBER],
    ['age=1e999', 'age', NUMBER],
    ['age=NaN', 'age', NUMBER],
    ['age=9007199254740993', 'age', DIGITS],
    ['age=1e300', 'age', NUMBER],
    ['age[in]=1,x,3', 'age[in]', `Value 2: ${NUMBER}`],
    ['age[between]=1', 'age[between]', 'Expected two values, from and to.'],
    ['age[between]=1,2,3', 'age[between]', 'Expected two values, from and to.'],
    [
      'age[like]=1',
      'age[like]',
      'There is no such operator. age has eq, ne, lt, lte, gt, gte, between, in, nin and null.',
    ],
    ['age[]=1', 'age[]', 'There is no such operator. age has eq, ne, lt, lte, gt, gte, between, in, nin and null.'],
    ['active[lt]=1', 'active[lt]', 'There is no such operator. active has eq, ne, in, nin and null.'],
    [
      'name[regex]=1',
      'name[regex]',
      'There is no such operator. name has eq, ne, lt, lte, gt, gte, between, in, nin, null and like.',
    ],
    [
      'name[constructor]=1',
      'name[constructor]',
      'There is no such operator. name has eq, ne, lt, lte, gt, gte, between, in, nin, null and like.',
    ],
    ['status=gone', 'status', 'Expected one of new and old.'],
    ['active=yes', 'active', 'Expected true or false.'],
    ['name[null]=x', 'name[null]', 'Expected true or false.'],
    ['created=2026-02-30', 'created', DATE],
    ['created=2026-02-28T12:30:00+01:00', 'created', `${DATE} In a URL, + is written %2B.`],
    [`name=${long}`, 'name', TEXT],
    [`name=${'%C3%A9'.repeat(1025)}`, 'name', TEXT],
    ['name=%00', 'name', TEXT],
    [`name[like]=${'*'.repeat(257)}`, 'name[like]', LIKE],
    ['name[like]=a%00', 'name[like]', LIKE],
    [`q=${'x'.repeat(257)}`, 'q', 'Expected text of at most 256 characters.'],
    [`age[in]=${Array(101).fill(1)}`, 'age[in]', 'Expected 1 to 100 values.'],
    ['name=a&name=b', 'name', TWICE],
    ['age[gte]=1&age[gte]=2', 'age[gte]', TWICE],
    ['name=a&name[eq]=b', 'name[eq]', 'This condition is there twice. Send it once.'],
    ['sort=age&sort=name', 'sort', TWICE],
    ['page=1&page=2', 'page', TWICE],
    ['sort=colour', 'sort', SORTABLE],
    ['sort=secret', 'sort', SORTABLE],
    ['sort=--age', 'sort', SORTABLE],
    ['sort=age,-age', 'sort', 'age is there twice. Send it once.'],
    [
      'fields=id,secret',
      'fields',
      'There is no such field to select. There are id, name, age, status, created and active.',
    ],
    [
      'fields=country_id',
      'fields',
      'There is no such field to select. There are id, name, age, status, created and active.',
    ],
    ['expand=boss', 'expand', 'There is no such relation. There are country and friends.'],
    ['expand=country.boss', 'expand', 'There is no such relation in country. There are continent.'],
    ['expand=friends.friends.friends', 'expand', 'Expected at most 2 relations in a row.'],
    ['page=0', 'page', 'Expected a whole number from 1 to 999999999.'],
    ['page=-1', 'page', 'Expected a whole number from 1 to 999999999.'],
    ['page=1.5', 'page', 'Expected a whole number from 1 to 999999999.'],
    ['page=1e3', 'page', 'Expected a whole number from 1 to 999999999.'],
    ['page=99999999999999999999', 'page', 'Expected a whole number from 1 to 999999999.'],
    ['per_page=101', 'per_page', 'Expected a whole number from 1 to 100.'],
    ['per_page=', 'per_page', 'Expected a whole number from 1 to 100.'],
  ],
  classic: [
    ['name=x', 'name', 'There is no such parameter. There are filter, sort, fields, expand, q, page and per_page.'],
    ['filter=age', 'filter', 'Condition 1: Expected a field, an operator and a value, such as age,ge,30.'],
    ['filter=age,ge', 'filter', 'Condition 1: Expected a field, an operator and a value, such as age,ge,30.'],
    ['filter=name,eq,x;age,ge,old', 'filter', `Condition 2: ${NUMBER}`],
    ['filter=age,ge,1;', 'filter', 'Condition 2: Expected a field, an operator and a value, such as age,ge,30.'],
    ['filter=name,eq,a,b', 'filter', 'Condition 1: Expected one value. A comma in it is written \\,'],
    ['filter=age,in,1,x', 'filter', `Condition 1, value 2: ${NUMBER}`],
    [
      'filter=age,constructor,1',
      'filter',
      'Condition 1: There is no such operator. age has eq, ne, lt, lte, gt, gte, between, in, nin and null.',
    ],
    [
      'filter=secret,eq,1',
      'filter',
      'Condition 1: There is no such field. Fields to filter by are id, name, age, status, created and active, as filter=name,eq,x.',
    ],
    ['filter=age,ge,1;age,ge,2', 'filter', 'Condition 2: This condition is there twice. Send it once.'],
    ['sort=age,down', 'sort', 'Term 1: Expected a field, and asc or desc, such as age,desc.'],
    ['sort=name;age,desc,x', 'sort', 'Term 2: Expected a field, and asc or desc, such as age,desc.'],
    ['sort=name;colour', 'sort', `Term 2: ${SORTABLE}`],
    ['expand=2', 'expand', 'There is no such relation. There are country and friends.'],
  ],
  jsonapi: [
    ['name=x', 'name', 'There is no such parameter. There are sort, fields, include, q, page[number] and page[size].'],
    [
      'page[offset]=1',
      'page[offset]',
      'There is no such parameter. There are sort, fields, include, q, page[number] and page[size].',
    ],
    [
      'fields[country]=name',
      'fields[country]',
      'There is no such parameter. There are sort, fields, include, q, page[number] and page[size].',
    ],
    [
      'filter[secret]=1',
      'filter[secret]',
      'There is no such field. Fields to filter by are id, name, age, status, created and active, as filter[name]=x or filter[name][ne]=x.',
    ],
    ['filter[age][gte]=x', 'filter[age][gte]', NUMBER],
    ['page[size]=500', 'page[size]', 'Expected a whole number from 1 to 100.'],
  ],
  'react-admin': [
    ['page=1', 'page', 'There is no such parameter. There are filter, sort, range and embed.'],
    ['filter={', 'filter', 'Expected an object in JSON, such as {"name":"x"}.'],
    ['filter=[]', 'filter', 'Expected an object in JSON, such as {"name":"x"}.'],
    ['filter=null', 'filter', 'Expected an object in JSON, such as {"name":"x"}.'],
    [
      'filter={"secret":1}',
      'filter',
      'There is no such field. Fields to filter by are id, name, age, status, created and active, as filter={"name":"x"}.',
      '#/secret',
    ],
    [
      'filter={"__proto__":1}',
      'filter',
      'There is no such field. Fields to filter by are id, name, age, status, created and active, as filter={"name":"x"}.',
      '#/__proto__',
    ],
    ['filter={"age_gte":"x"}', 'filter', NUMBER, '#/age_gte'],
    ['filter={"age":{"gte":{"toString":1}}}', 'filter', NUMBER, '#/age/gte'],
    ['filter={"age":{}}', 'filter', 'Expected a value, or operators such as {"gte":30}.', '#/age'],
    ['filter={"age":[1,"x"]}', 'filter', NUMBER, '#/age/1'],
    ['filter={"age":[]}', 'filter', 'Expected 1 to 100 values.', '#/age'],
    ['filter={"age":null}', 'filter', `${NUMBER} For null there is the operator null.`, '#/age'],
    ['filter={"age_gte":[1]}', 'filter', 'Expected one value.', '#/age_gte'],
    ['filter={"age_in":1}', 'filter', 'Expected a list.', '#/age_in'],
    ['filter={"q":5}', 'filter', 'Expected text of at most 256 characters.', '#/q'],
    ['sort=name', 'sort', 'Expected a field and a direction in JSON, such as ["name","ASC"].'],
    ['sort=["name",{"toString":1}]', 'sort', 'Expected a field and a direction in JSON, such as ["name","ASC"].'],
    ['sort=["secret","ASC"]', 'sort', SORTABLE],
    ['range=[5,2]', 'range', 'Expected the first and the last row in JSON, such as [0,24].'],
    ['range=[0,100]', 'range', 'Expected a whole number from 1 to 100.'],
    ['range=[-1,5]', 'range', 'Expected a whole number from 0 to 999999999.'],
    ['embed=[1]', 'embed', 'Expected relations in JSON, such as ["author"].'],
    ['embed=["boss"]', 'embed', 'There is no such relation. There are country and friends.'],
  ],
  'json-server': [
    [
      'secret=1',
      'secret',
      'There is no such parameter. Fields to filter by are id, name, age, status, created and active, as name=x or name_ne=x. Others are _sort, _order, _expand, _embed, _start, _end and q.',
    ],
    ['age_gte=1&age_gte=2', 'age_gte', TWICE],
    [
      'age_like=1',
      'age_like',
      'There is no such operator. age has eq, ne, lt, lte, gt, gte, between, in, nin and null.',
    ],
    ['id=1&id=x', 'id', `Value 2: ${NUMBER}`],
    ['_end=101', '_end', 'Expected a whole number from 1 to 100.'],
    ['_start=20&_end=20', '_end', 'Expected a whole number from 21 to 120.'],
    ['_sort=age&_order=down', '_order', 'Expected asc or desc for each field.'],
    ['_sort=age&_order=asc,desc', '_order', 'There are more directions than fields.'],
    ['_sort=colour', '_sort', SORTABLE],
  ],
}

for (const [style, rows] of Object.entries(WRONG)) {
  test(`queryReader() says what is wrong in the language ${style}`, async t => {
    const app = appOf({ style: style as never })
    for (const [query, parameter, detail, pointer] of rows) {
      const { status, body } = await ask(app, query)
      t.is(status, 400, query)
      t.deepEqual(body.errors, [{ parameter, ...(pointer && { pointer }), detail }], query)
      t.is(body.detail, 'One term of the query does not fit. See errors.')
    }
  })
}

const WRONG_BODIES: [body: unknown, pointer: string, detail: string][] = [
  [5, '#', 'Expected an object, such as {"filter":{"name":"x"}}.'],
  [[], '#', 'Expected an object, such as {"filter":{"name":"x"}}.'],
  [{ colour: 1 }, '#/colour', 'There is no such member. There are filter, q, sort, fields, expand, page and per_page.'],
  [{ offset: 1 }, '#/offset', 'There is no such member. There are filter, q, sort, fields, expand, page and per_page.'],
  [{ filter: [] }, '#/filter', 'Expected an object, such as {"name":"x"}.'],
  [
    { filter: { secret: 1 } },
    '#/filter/secret',
    'There is no such field. There are id, name, age, status, created and active.',
  ],
  [{ filter: { age: '30' } }, '#/filter/age', NUMBER],
  [{ filter: { age: 2 ** 53 } }, '#/filter/age', DIGITS],
  [{ filter: { active: 1 } }, '#/filter/active', 'Expected true or false.'],
  [{ filter: { active: { null: 'true' } } }, '#/filter/active/null', 'Expected true or false.'],
  [{ filter: { name: 5 } }, '#/filter/name', TEXT],
  [{ filter: { name: '\ud800' } }, '#/filter/name', TEXT],
  [{ filter: { name: { like: 5 } } }, '#/filter/name/like', LIKE],
  [{ filter: { created: 5 } }, '#/filter/created', DATE],
  [{ filter: { age: { in: [1, '2'] } } }, '#/filter/age/in/1', NUMBER],
  [{ filter: { age: { between: [1] } } }, '#/filter/age/between', 'Expected two values, from and to.'],
  [{ filter: { age: { in: 1 } } }, '#/filter/age/in', 'Expected a list.'],
  [{ filter: { age: null } }, '#/filter/age', `${NUMBER} For null there is the operator null.`],
  [
    { filter: { 'a/b~c': 1 } },
    '#/filter/a~1b~0c',
    'There is no such field. There are id, name, age, status, created and active.',
  ],
  [{ sort: 5 }, '#/sort', 'Expected a list of names, or text with commas.'],
  [{ sort: ['colour'] }, '#/sort', SORTABLE],
  [{ fields: [5] }, '#/fields', 'Expected a list of names, or text with commas.'],
  [{ q: 5 }, '#/q', 'Expected text of at most 256 characters.'],
  [{ page: '2' }, '#/page', 'Expected a whole number from 1 to 999999999.'],
  [{ per_page: 101 }, '#/per_page', 'Expected a whole number from 1 to 100.'],
]

test('queryReader() says what is wrong in the JSON of a QUERY, by a pointer', async t => {
  const app = appOf()
  for (const [body, pointer, detail] of WRONG_BODIES) {
    const answer = await send(app, body)
    t.is(answer.status, 400, pointer)
    t.deepEqual(answer.body.errors, [{ pointer, detail }], pointer)
  }
  const response = await app.client().query('/?name=x', { json: {} })
  t.like(await response.json(), { errors: [{ parameter: 'name', detail: 'A QUERY says this in its body.' }] })
})

test('queryReader() says everything that is wrong at once, 20 things at most', async t => {
  const app = appOf()
  const { body } = await ask(app, 'age=x&colour=1&sort=secret&page=0')
  t.is(body.detail, '4 terms of the query do not fit. See errors.')
  t.deepEqual(
    body.errors?.map(({ parameter }) => parameter),
    ['age', 'colour', 'sort', 'page'],
  )
  const many = await ask(app, `fields=${Array.from({ length: 60 }, (_, index) => `f${index}`)}`)
  t.is(many.body.detail, '60 terms of the query do not fit. See errors.')
  t.is(many.body.errors?.length, 20)
  const more = await ask(app, `fields=${Array(101).fill('id')}`)
  t.deepEqual(more.body.errors, [{ parameter: 'fields', detail: 'Send at most 100 of these.' }])
  const long = await ask(appOf({ style: 'classic' }), `filter=${';'.repeat(8000)}`)
  t.is(long.body.detail, '101 terms of the query do not fit. See errors.')
  t.deepEqual(long.body.errors?.[0], { parameter: 'filter', detail: 'Send at most 100 of these.' })
})

test('queryReader() takes at most 20 conditions, 100 parameters and 8 KiB for one', async t => {
  const names = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`f${index}`, 'number'] as const))
  const wide = appOf({}, resource({ fields: { id: 'number', ...names } }))
  const query = (count: number) => Array.from({ length: count }, (_, index) => `f${index}=1`).join('&')
  t.is((await ask(wide, query(20))).body.where?.length, 20)
  t.deepEqual((await ask(wide, query(21))).body.errors, [{ parameter: 'f20', detail: 'Send at most 20 conditions.' }])
  const app = appOf()
  const rows = [
    [Array(101).fill('a=1').join('&'), 'Send at most 100 query parameters.'],
    [`name=${'x'.repeat(8192)}`, 'Send query parameters of at most 8192 bytes.'],
  ]
  for (const [query, detail] of rows) {
    const { status, body } = await ask(app, query as string, { prefer: 'handling=lenient' })
    t.deepEqual([status, body.detail], [400, detail])
  }
})

test('queryReader() answers 400 to percent-encoding that a middleware has broken', async t => {
  const app = appOf()
  app.use((ctx, next) => {
    ctx.querystring = 'name=%ff'
    return next()
  })
  const { status, body } = await ask(app, 'name=x')
  t.deepEqual([status, body.detail], [400, 'The percent-encoding of the query is malformed, or is not of UTF-8.'])
})

test('queryReader() refuses parameters of a page that do not go together', async t => {
  const app = appOf({ paging: ['page', 'offset', 'cursor'] })
  const rows = [
    ['page=1&offset=2', 'offset', 'This does not go together with the other parameters of the page.'],
    ['page=1&cursor=x', 'cursor', 'This does not go together with the other parameters of the page.'],
    ['cursor=x&limit=1&per_page=1', 'per_page', 'The size of the page is there twice. Send it once.'],
    [`cursor=${'x'.repeat(2049)}`, 'cursor', 'Expected a cursor, as the link to a page has it.'],
  ]
  for (const [query, parameter, detail] of rows)
    t.deepEqual((await ask(app, query as string)).body.errors, [{ parameter, detail }], query)
})

test('queryReader() refuses what is there twice by two names', async t => {
  const app = appOf({ style: 'jsonapi' })
  const detail = 'This is there twice. Send it once.'
  for (const [query, parameter] of [
    ['q=a&filter[q]=b', 'filter[q]'],
    ['fields=id&fields[people]=name', 'fields[people]'],
    ['fields[a]=id&fields[b]=name', 'fields[b]'],
  ])
    t.deepEqual((await ask(app, query as string)).body.errors, [{ parameter, detail }] as never, query)
  const answer = await send(appOf(), { filter: { q: 'a' }, q: 'b' })
  t.deepEqual(answer.body.errors, [{ pointer: '#/q', detail }] as never)
})

test('queryReader() ignores what is wrong where the client prefers handling=lenient, and says so', async t => {
  const app = appOf()
  const headers = { prefer: 'handling=lenient' }
  const some = await ask(app, 'age=x&name=a&colour=1&sort=secret,name&per_page=500&status[in]=new,gone', headers)
  t.deepEqual(some.body, {
    where: [['name', 'eq', 'a']],
    order: 'name,id',
    ignored: ['age', 'colour', 'status[in]', 'sort', 'per_page'],
  })
  t.is(some.headers.get('preference-applied'), 'handling=lenient')
  const none = await ask(app, 'name=a', headers)
  t.is(none.headers.get('preference-applied'), null)
  const body = await send(app, { filter: { age: 'x', name: 'a' } }, headers)
  t.deepEqual(body.body, { where: [['name', 'eq', 'a']], ignored: ['#/filter/age'] })
  t.is((await ask(app, 'age=x', { prefer: 'handling=strict' })).status, 400)
  const mixed = appOf({ paging: ['page', 'offset'] })
  t.deepEqual((await ask(mixed, 'page=2&offset=2', headers)).body.ignored, ['offset'])
})

test('queryReader() reads the parameters of the parts that take part, and ignores those that are not ours', async t => {
  const app = appOf({ parts: new Set(['sort'] as const), ignore: ['token'] })
  t.deepEqual((await ask(app, 'sort=name&token=x&token=y')).body, { order: 'name,id' })
  for (const query of ['name=x', 'q=x', 'page=1', 'fields=id', 'expand=country'])
    t.is((await ask(app, query)).body.errors?.[0]?.detail, 'There is no such parameter. There are sort.', query)
  const filters = appOf({ parts: new Set(['filter'] as const) })
  t.deepEqual((await ask(filters, 'name=x&q=y')).body, { where: [['name', 'eq', 'x']], q: 'y' })
  t.is((await ask(filters, 'sort=name')).status, 400)
  t.deepEqual((await send(filters, { sort: 'name' })).body.errors?.[0], {
    pointer: '#/sort',
    detail: 'There is no such member. There are filter and q.',
  })
})

test('queryReader() has no free text where the resource searches nothing', async t => {
  const none = resource({ fields: { id: 'number' } })
  t.is((await ask(appOf({}, none), 'q=x')).status, 400)
  const admin = await ask(appOf({ style: 'react-admin' }, none), 'filter={"q":"x"}')
  t.deepEqual(admin.body.errors, [{ parameter: 'filter', pointer: '#/q', detail: 'There is no free text here.' }])
})

test('queryReader() reads a field of the name q, where it is no parameter', async t => {
  const its = resource({ fields: { id: 'number', q: 'string' } })
  t.deepEqual((await ask(appOf({}, its), 'q=x')).body, { where: [['q', 'eq', 'x']], order: 'id' })
  const other = await ask(appOf({ style: 'jsonapi' }, its), 'filter[q]=x')
  t.deepEqual(other.body, { where: [['q', 'eq', 'x']], order: 'id' })
})

test('queryReader() refuses wrong options and names that clash, when it is made', t => {
  const sorted = resource({ fields: { id: 'number', sort: 'string', limit: 'number' } })
  const rows: [LanguageOptions, Resource, string][] = [
    [
      { style: 'odata' as never },
      people,
      'collection: the option style is "odata". Give one of "default", "classic", "jsonapi", "react-admin" and "json-server".',
    ],
    [
      { paging: [] },
      people,
      'collection: the option paging is a list. Give one of page, offset and cursor, or a list of them.',
    ],
    [{ perPage: 0 }, people, 'collection: the option perPage is 0. Give a whole number from 1.'],
    [
      { parts: ['sort'] as never },
      people,
      'collection: the option parts is a list. Give a Set of filter, sort, page, fields and expand.',
    ],
    [{ perPage: 50, maxPerPage: 10 }, people, 'collection: perPage 50 is more than maxPerPage 10.'],
    [
      { style: 'react-admin', paging: 'page' },
      people,
      'collection: the style react-admin has no paging by page. It has offset.',
    ],
    [
      {},
      sorted,
      'collection: the field sort has the name of a parameter. Rename it, and say as column what the source calls it.',
    ],
    [
      { ignore: ['page'] },
      people,
      'collection: the query parameter page is of the collection, and of something else. Rename one.',
    ],
    [
      { ignore: ['name'] },
      people,
      'collection: the query parameter name is of the collection, and of something else. Rename one.',
    ],
  ]
  for (const [options, its, message] of rows)
    t.throws(() => queryReader(its, options), { instanceOf: TypeError, message }, message)
  // A name is taken only where the style has it as a parameter.
  t.notThrows(() => queryReader(sorted, { style: 'classic' }))
  t.notThrows(() => queryReader(sorted, { parts: new Set(['filter', 'page'] as const) }))
})
