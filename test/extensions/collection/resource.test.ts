import test from 'ava'
import * as v from 'valibot'
import { z } from 'zod'
import { type Relation, type Resource, relation, resource } from '../../../extensions/collection/resource.ts'
import { date, float, int, list, nullable, object, oneOf, text, writeOnly } from '../../../extensions/schema.ts'

const load = () => []

const countries = resource({ fields: { code: 'string', name: 'string' }, key: 'code' })

/** The types of a resource's fields, as `name:type`, with the values of an enum. */
function types({ fields }: Resource): string[] {
  return [...fields.values()].map(({ name, type, values }) => `${name}:${type}${values ? `(${values.join()})` : ''}`)
}

function order({ sort }: Resource): string[] {
  return sort.map(({ field, descending }) => `${descending ? '-' : ''}${field.name}`)
}

test('resource() compiles its fields, and lets all of them be filtered, sorted and selected', t => {
  const customers = resource({
    fields: {
      id: 'number',
      name: 'string',
      status: ['new', 'old'],
      created: 'date',
      active: 'boolean',
      total: { type: 'number', column: 'invoice.total', filter: false },
      secret: { type: 'string', select: false },
      hint: { type: 'string', select: false, filter: true, sort: true },
      seen: { type: 'date', stored: 'seconds', sort: false },
      city: { type: 'string', collation: 'database' },
      kind: { type: 'enum', values: ['a'] },
    },
    sort: '-created,name',
    search: ['name', 'status'],
  })
  t.deepEqual(types(customers), [
    'id:number',
    'name:string',
    'status:enum(new,old)',
    'created:date',
    'active:boolean',
    'total:number',
    'secret:string',
    'hint:string',
    'seen:date',
    'city:string',
    'kind:enum(a)',
  ])
  const all = [...customers.fields.keys()]
  t.deepEqual(
    [...customers.filterable],
    all.filter(name => name !== 'total' && name !== 'secret'),
  )
  t.deepEqual(
    [...customers.sortable],
    all.filter(name => name !== 'seen' && name !== 'secret'),
  )
  t.deepEqual(
    [...customers.selectable],
    all.filter(name => name !== 'secret' && name !== 'hint'),
  )
  t.is(customers.fields.get('total')?.column, 'invoice.total')
  t.is(customers.fields.get('name')?.column, 'name')
  t.is(customers.fields.get('seen')?.stored, 'seconds')
  t.is(customers.fields.get('name')?.collation, 'binary')
  t.is(customers.fields.get('city')?.collation, 'database')
  t.is(customers.key.name, 'id')
  t.deepEqual(order(customers), ['-created', 'name', 'id'])
  t.deepEqual(
    customers.search.map(({ name }) => name),
    ['name', 'status'],
  )
})

test('resource() takes narrower lists, and another key', t => {
  const it = resource({
    fields: { code: 'string', name: 'string', age: 'number' },
    key: 'code',
    filterable: ['name'],
    sortable: [],
    selectable: ['age', 'code'],
  })
  t.deepEqual([...it.filterable], ['name'])
  t.deepEqual([...it.sortable], [])
  t.deepEqual([...it.selectable], ['age', 'code'])
  t.deepEqual(order(it), ['code'])
})

test('resource() ends its order with the key, and says nothing behind it', t => {
  const fields = { id: 'number', name: 'string' } as const
  t.deepEqual(order(resource({ fields })), ['id'])
  t.deepEqual(order(resource({ fields, sort: '' })), ['id'])
  t.deepEqual(order(resource({ fields, sort: '-id' })), ['-id'])
  t.deepEqual(order(resource({ fields, sort: 'id,name' })), ['id'])
  t.deepEqual(order(resource({ fields, sort: 'name' })), ['name', 'id'])
})

const EXPECTED = [
  'id:number',
  'name:string',
  'age:number',
  'score:number',
  'isActive:boolean',
  'status:enum(new,old)',
  'since:date',
  'until:date',
  'tags:other',
  'address:other',
  'mixed:other',
]

test('resource() takes the types from a schema of zod, through null, references and alternatives', t => {
  const schema = z.object({
    id: z.int(),
    name: z.string().max(9),
    age: z.number().nullable(),
    score: z.union([z.int(), z.number()]),
    isActive: z.boolean().optional(),
    status: z.enum(['new', 'old']),
    since: z.date(),
    until: z.iso.datetime().meta({ id: 'Moment' }).nullable(),
    tags: z.array(z.string()),
    address: z.object({ city: z.string() }),
    mixed: z.union([z.string(), z.number()]),
  })
  const it = resource({ fields: schema })
  t.deepEqual(types(it), EXPECTED)
  const plain = EXPECTED.slice(0, 8).map(text => text.split(':')[0])
  t.deepEqual([...it.filterable], plain)
  t.deepEqual([...it.sortable], plain)
  t.is(it.selectable.size, EXPECTED.length)
})

test('resource() takes the types from schemas of kolba and valibot, whole or by name', t => {
  const whole = resource({
    fields: object({
      id: int(),
      name: text(),
      age: nullable(float()),
      status: oneOf('new', 'old'),
      since: date(),
      tags: list(text()),
      password: writeOnly(text()),
    }),
  })
  const some = ['id:number', 'name:string', 'age:number', 'status:enum(new,old)', 'since:date', 'tags:other']
  t.deepEqual(types(whole), some)
  t.deepEqual(
    types(
      resource({
        fields: {
          id: int(),
          name: v.string(),
          age: v.nullable(v.number()),
          status: z.enum(['new', 'old']),
          since: date(),
          tags: list(text()),
        },
      }),
    ),
    some,
  )
})

test('resource() says a row as JSON Schema, of what is selectable; the key is never null', t => {
  const it = resource({
    fields: {
      id: 'number',
      name: 'string',
      status: ['new'],
      since: 'date',
      hidden: { type: 'string', select: false },
      tags: list(text({ max: 9 })),
    },
  })
  t.deepEqual(it.schema, {
    type: 'object',
    properties: {
      id: { type: 'number' },
      name: { type: ['string', 'null'] },
      status: { enum: ['new', null] },
      since: { type: ['string', 'null'], format: 'date-time' },
      tags: { type: 'array', items: { type: 'string', maxLength: 9 } },
    },
  })
})

test('resource() says a row with the references of its schema', t => {
  const city = z.object({ name: z.string() }).meta({ id: 'City' })
  const it = resource({ fields: z.object({ id: z.int(), from: city, to: city }), selectable: ['id', 'to'] })
  const { $id, ...schema } = it.schema
  t.regex(String($id), /^kolba:/)
  t.like(schema, { type: 'object', properties: { to: { $ref: '#/$defs/City' } } })
  t.like(schema, { $defs: { City: { properties: { name: { type: 'string' } } } } })
  t.deepEqual(Object.keys(schema.properties as object), ['id', 'to'])
})

test('relation() leads from a field to the key of another resource, or from the key to a field there', t => {
  const orders: Resource = resource({ fields: { id: 'number', sum: 'number' } })
  const customers = resource({
    fields: { id: 'number', name: 'string' },
    expand: {
      country: relation({ from: 'country_code', resource: countries, load }),
      orders: relation({ to: 'customer_id', many: true, resource: () => orders, load }),
    },
  })
  const { country, orders: its } = Object.fromEntries(customers.relations) as Record<string, Relation>
  t.deepEqual(
    [country?.name, country?.from.name, country?.to.name, country?.many, country?.resource],
    ['country', 'country_code', 'code', false, countries],
  )
  t.deepEqual([its?.from.name, its?.to.name, its?.many, its?.resource], ['id', 'customer_id', true, orders])
  // What is not declared is read, and nobody sees it. Its type is that of the other side.
  const hidden = customers.fields.get('country_code')
  t.is(hidden, country?.from)
  t.deepEqual([hidden?.isHidden, hidden?.type, hidden?.column], [true, 'string', 'country_code'])
  t.deepEqual([its?.to.isHidden, its?.to.type], [true, 'number'])
  t.is(its?.to, its?.to)
  for (const names of [customers.filterable, customers.sortable, customers.selectable])
    t.deepEqual([...names], ['id', 'name'])
})

test('relation() leads in a circle, through functions', t => {
  const parents: Resource = resource({
    fields: { id: 'number', best: 'number' },
    expand: { child: relation({ from: 'best', resource: () => children, load }) },
  })
  const children: Resource = resource({
    fields: { id: 'number', parent_id: 'number' },
    expand: { parent: relation({ from: 'parent_id', resource: () => parents, load }) },
  })
  t.is(parents.relations.get('child')?.resource.relations.get('parent')?.resource, parents)
})

/** A mistake of the programmer, and what is said of it. */
const REFUSED: [mistake: () => unknown, sentence: string][] = [
  [
    () => resource(undefined as never),
    'resource: the options are null. Give an object with fields, key, sort, search, filterable, sortable, selectable and expand.',
  ],
  [
    () => resource({ fields: 5 } as never),
    "resource: the fields are no object. Give { id: 'number', name: 'string' } or a schema.",
  ],
  [
    () => resource({ fields: text() } as never),
    'resource: the schema of the fields declares no properties. Give the schema of an object.',
  ],
  [
    () => resource({ fields: { name: 'string' } } as never),
    'resource: the key "id" is not declared. There are name: name one as key.',
  ],
  [
    () => resource({ fields: { id: 'boolean' } }),
    'resource: the key id cannot tell rows apart. Name a field of text, numbers or dates.',
  ],
  [
    () => resource({ fields: { id: list(text()) } }),
    'resource: the key id cannot tell rows apart. Name a field of text, numbers or dates.',
  ],
  [
    () => resource({ fields: { id: 'int' } } as never),
    'resource: the field id: the option type is "int". Give one of "string", "number", "boolean", "date" and "enum".',
  ],
  [
    () => resource({ fields: { id: null } } as never),
    'resource: the field id: the options are null. Give an object with type, values, column, stored, collation, filter, sort and select.',
  ],
  [
    () => resource({ fields: { id: {} } } as never),
    'resource: the field id has no type. Give one of string, number, boolean, date, enum, or a schema.',
  ],
  [
    () => resource({ fields: { id: { type: 'number', colour: 'red' } } } as never),
    'resource: the field id: the option "colour" is unknown. It takes type, values, column, stored, collation, filter, sort and select.',
  ],
  [
    () => resource({ fields: { id: [] } }),
    'resource: the field id: the option values is a list. Give a list of different strings, at least one.',
  ],
  [
    () => resource({ fields: { id: ['a', 'a'] } }),
    'resource: the field id: the option values is a list. Give a list of different strings, at least one.',
  ],
  [
    () => resource({ fields: { id: { type: 'enum' } } }),
    'resource: the field id is of type enum, and an enum is what has values. Give both or neither.',
  ],
  [
    () => resource({ fields: { id: { type: 'string', values: ['a'] } } }),
    'resource: the field id is of type string, and an enum is what has values. Give both or neither.',
  ],
  [
    () => resource({ fields: { id: { type: 'number', stored: 'seconds' } } }),
    'resource: the field id is of type number, and stored is said of a date.',
  ],
  [
    () => resource({ fields: { id: 'number', 'a[b]': 'string' } }),
    'resource: "a[b]" cannot be the name of a field. Choose another, and say as column what the source calls it.',
  ],
  [
    () => resource({ fields: { id: 'number', '-a': 'string' } }),
    'resource: "-a" cannot be the name of a field. Choose another, and say as column what the source calls it.',
  ],
  [
    () => resource({ fields: { id: 'number', 'a.b': 'string' } }),
    'resource: "a.b" cannot be the name of a field. Choose another, and say as column what the source calls it.',
  ],
  [
    () => resource({ fields: { id: 'number', '': 'string' } }),
    'resource: "" cannot be the name of a field. Choose another, and say as column what the source calls it.',
  ],
  [
    () => resource({ fields: JSON.parse('{"id":"number","__proto__":"string"}') }),
    'resource: "__proto__" cannot be the name of a field. Choose another, and say as column what the source calls it.',
  ],
  [
    () => resource({ fields: { id: 'number' }, sort: '-age' }),
    'resource: sort names "age", which is not declared. There are id.',
  ],
  [
    () => resource({ fields: { id: 'number', tags: list(text()) }, sort: 'tags' }),
    'resource: sort names tags, which is an object or a list, or is declared with sort: false, or with select: false and no sort: true. Leave it out.',
  ],
  [
    () => resource({ fields: { id: 'number' }, search: ['age'] } as never),
    'resource: search names "age", which is not declared. There are id.',
  ],
  [
    () => resource({ fields: { id: 'number' }, search: ['id'] }),
    'resource: search names id, which is no text. Search looks into text.',
  ],
  [
    () => resource({ fields: { id: 'number', tags: list(text()) }, filterable: ['tags'] }),
    'resource: filterable names tags, which is an object or a list, or is declared with filter: false, or with select: false and no filter: true. Leave it out.',
  ],
  [
    () => resource({ fields: { id: { type: 'number', sort: false } }, sortable: ['id'] }),
    'resource: sortable names id, which is an object or a list, or is declared with sort: false, or with select: false and no sort: true. Leave it out.',
  ],
  [
    () => resource({ fields: { id: { type: 'number', select: false } }, selectable: ['id'] }),
    'resource: selectable names id, which is declared with select: false. Leave it out.',
  ],
  [
    () => resource({ fields: { id: 'number' }, expand: { a: {} } } as never),
    'resource: expand a is no relation. Write relation({ from, resource, load }).',
  ],
  [
    () => resource({ fields: { id: 'number' }, expand: { id: relation({ from: 'id', resource: countries, load }) } }),
    'resource: expand id has the name of a field. Rename one of them.',
  ],
  [
    () =>
      resource({ fields: { id: 'number' }, expand: { 'a.b': relation({ from: 'id', resource: countries, load }) } }),
    'resource: "a.b" cannot be the name of a relation. Choose another.',
  ],
  [
    () => resource({ fields: { id: 'number' }, expand: { a: relation({ from: 'x.y', resource: countries, load }) } }),
    'resource: "x.y" is no name of a field. Declare one with column: \'x.y\', select: false.',
  ],
  [() => relation({ from: 'a', load } as never), 'relation: there is no resource. Give { resource, load }.'],
  [() => relation({ from: 'a', resource: countries } as never), 'relation: there is no load. Give { resource, load }.'],
  [
    () => relation({ resource: countries, load }),
    'relation: neither from nor to is given. Name the field that has the key of the other.',
  ],
  [
    () => relation({ from: 'a', resource: 5, load } as never),
    'relation: the option resource is 5. Give a resource, or a function that gives one.',
  ],
]

test('resource() and relation() refuse mistakes with a sentence', t => {
  for (const [mistake, message] of REFUSED) t.throws(mistake, { instanceOf: TypeError, message }, message)
})

test('relation() refuses, when it is first looked at, what is no resource and two sides without a type', t => {
  const odd = resource({
    fields: { id: 'number' },
    expand: {
      none: relation({ from: 'a', resource: () => 5 as never, load }),
      both: relation({ from: 'b', to: 'c', resource: countries, load }),
    },
  })
  t.throws(() => odd.relations.get('none')?.resource, {
    message: 'resource: the resource of expand none is none. Give what resource() gives.',
  })
  t.throws(() => odd.relations.get('both')?.to.type, {
    message:
      'resource: expand both leads from b to c, which both are not declared. Declare one of them, with { type, filter: false, sort: false, select: false }.',
  })
})
