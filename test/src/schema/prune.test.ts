import test from 'ava'
import { kolba } from 'kolba'
import { input } from 'kolba/input'

// What reaches the handler, where a schema has alternatives.

const item = { type: 'object', properties: { a: { type: 'integer' }, id: { readOnly: true } } }
const rows: [title: string, schema: object, given: unknown, taken: unknown][] = [
  [
    'prunes a list among alternatives',
    { anyOf: [{ type: 'array', items: item }, { type: 'null' }] },
    [{ a: 1, b: 2 }],
    [{ a: 1 }],
  ],
  [
    'prunes a list that may be one object',
    { anyOf: [{ type: 'array', items: item }, item] },
    [{ a: 1, b: 2 }],
    [{ a: 1 }],
  ],
  ['prunes one object that may be a list', { anyOf: [{ type: 'array', items: item }, item] }, { a: 1, b: 2 }, { a: 1 }],
  ['keeps a list of anything among alternatives', { anyOf: [{ type: 'array' }, item] }, [{ b: 2 }], [{ b: 2 }]],
  ['prunes an object that may be a word', { anyOf: [{ const: 'none' }, item] }, { a: 1, b: 2 }, { a: 1 }],
  [
    'prunes an object that may be one of several words',
    { anyOf: [{ enum: ['none', 'all'] }, item] },
    { a: 1, b: 2 },
    { a: 1 },
  ],
  [
    'drops what is readOnly in an alternative',
    { type: 'object', properties: { id: { anyOf: [{ readOnly: true, type: 'integer' }, { type: 'null' }] } } },
    { id: 7 },
    {},
  ],
]

for (const [title, schema, given, taken] of rows) {
  test(`input() ${title}`, async t => {
    const app = kolba()
    app.post('/', input({ body: { type: 'object', properties: { it: schema } } }), ctx => ctx.input.body)
    const response = await app.client().post('/', { json: { it: given } })
    t.deepEqual(await response.json(), { it: taken })
  })
}
