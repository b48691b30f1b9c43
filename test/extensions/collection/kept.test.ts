import test from 'ava'
import { decorator, kolba } from 'kolba'
import { collection, defineSource, relation, resource, type Slice } from 'kolba/collection'
import { json } from 'kolba/json'
import { prefer } from 'kolba/prefer'
import { keeping } from '../../../extensions/collection/kept.ts'
import type { Prepared } from '../../../extensions/collection/prepared.ts'

// What a query asks is kept by its text. Nothing of one request may be found in the answer to another.

const things = resource({ fields: { id: 'number', name: 'string' } })
const rows = Array.from({ length: 45 }, (_, index) => ({ id: index + 1, name: index % 2 === 0 ? 'a' : 'b' }))

interface Body {
  items: { id: number }[]
  meta: { total: number }
  links: Record<string, string>
}

const bodyOf = async (response: Response) => (await response.json()) as Body

test('keeping() keeps 200 queries, and none that is long, has a cursor or ignores something', t => {
  const of = (query: object) => ({ query: { page: { kind: 'page' }, ignored: [], ...query } }) as unknown as Prepared
  const kept = keeping()
  kept.keep('first', of({}))
  for (let index = 0; index < 199; index += 1) kept.keep(`page=${index}`, of({}))
  t.truthy(kept.get('first'))
  kept.keep('one more', of({}))
  t.truthy(kept.get('first'), 'what was asked for last stays')
  t.is(kept.get('page=0'), undefined)
  kept.keep('x'.repeat(512), of({}))
  kept.keep('x'.repeat(513), of({}))
  t.truthy(kept.get('x'.repeat(512)))
  t.is(kept.get('x'.repeat(513)), undefined)
  kept.keep('cursor=abc', of({ page: { kind: 'cursor', cursor: 'abc' } }))
  kept.keep('limit=5', of({ page: { kind: 'cursor', limit: 5 } }))
  kept.keep('name=1&x=2', of({ ignored: ['x'] }))
  t.is(kept.get('cursor=abc'), undefined)
  t.truthy(kept.get('limit=5'))
  t.is(kept.get('name=1&x=2'), undefined)
})

test('a query that is asked again gives the rows that are there now', async t => {
  const app = kolba()
  const list = rows.slice(0, 30)
  app.get('/things', json(), collection(things), () => list)
  const client = app.client()
  const first = await bodyOf(await client.get('/things?sort=-id'))
  t.deepEqual(
    [first.meta.total, first.items[0]?.id, Object.keys(first.links)],
    [30, 30, ['self', 'first', 'next', 'last']],
  )
  list.length = 3
  const second = await bodyOf(await client.get('/things?sort=-id'))
  t.deepEqual([second.meta.total, second.items[0]?.id, Object.keys(second.links)], [3, 3, ['self', 'first', 'last']])
})

test('a cursor of one user is refused from another, although both ask the same', async t => {
  const app = kolba({ keys: ['k'.repeat(32)] })
  const user = decorator('user', (ctx, next) => next({ user: { id: ctx.req.headers['x-user'] as string } }))
  app.get('/things', user, json(), collection(things, { paging: 'cursor', perPage: 5 }), () => rows)
  const client = app.client()
  const as = (id: string, url: string) => client.get(url, { headers: { 'x-user': id } })
  for (let round = 0; round < 2; round += 1) {
    const mine = (await bodyOf(await as('1', '/things?sort=name'))).links.next as string
    const theirs = (await bodyOf(await as('2', '/things?sort=name'))).links.next as string
    t.not(mine, theirs)
    for (let again = 0; again < 2; again += 1) {
      t.is((await as('1', mine)).status, 200)
      t.is((await as('2', mine)).status, 400)
    }
  }
})

test('links are of the host and the path that were asked', async t => {
  const app = kolba()
  app.get('/users/:id/things', json(), collection(things), () => rows)
  const client = app.client()
  for (const host of ['one.example', 'two.example', 'one.example']) {
    for (const id of [1, 2]) {
      const response = await client.get(`/users/${id}/things?page=2`, { headers: { host } })
      t.regex(response.headers.get('link') as string, new RegExp(`^<http://${host}/users/${id}/things\\?page=2>`))
      t.is((await bodyOf(response)).links.next, `http://${host}/users/${id}/things?page=3`)
    }
  }
})

test('what one request may ignore is an error in the next, and the other way round', async t => {
  const app = kolba()
  app.get('/things', prefer(), json(), collection(things), () => rows)
  const client = app.client()
  const lenient = { headers: { prefer: 'handling=lenient' } }
  for (let round = 0; round < 2; round += 1) {
    t.is((await client.get('/things?nme=a&sort=id')).status, 400)
    const response = await client.get('/things?nme=a&sort=id', lenient)
    t.is(response.status, 200)
    t.is(response.headers.get('preference-applied'), 'handling=lenient')
  }
  const plain = await client.get('/things?sort=id', lenient)
  t.is(plain.headers.get('preference-applied'), null)
})

test('what a decorator above does to a body is in no other answer', async t => {
  const app = kolba()
  const adding = decorator('adding', async (_ctx, next) => {
    const body = (await next()) as Body & Record<string, unknown>
    body.links.mine = 'x'
    body.meta.total += 1
    for (const item of body.items) Object.assign(item, { name: 'changed' })
    return body
  })
  app.get('/changed', json(), adding, collection(things), () => rows)
  app.get('/things', json(), collection(things), () => rows)
  const client = app.client()
  const first = await (await client.get('/changed?page=2')).text()
  t.is(await (await client.get('/changed?page=2')).text(), first)
  t.false((await (await client.get('/things?page=2')).text()).includes('changed'))
  t.is(rows[30]?.name, 'a')
})

test('a source of one’s own is given a slice that it cannot change for the next request', async t => {
  const app = kolba()
  const given: Slice[] = []
  const mine = defineSource<{ all: true }>({
    name: 'mine',
    matches: value => (value as { all?: unknown }).all === true,
    read: (_value, slice) => {
      given.push(slice)
      return { rows: [{ id: 1, name: 'a', secret: 1 }], total: 1 }
    },
  })
  const settings = { sources: [mine] }
  app.get('/things', json(), collection(things, settings), () => ({ all: true }))
  const client = app.client()
  for (let round = 0; round < 2; round += 1) {
    t.deepEqual((await bodyOf(await client.get('/things?name[in]=a,b&sort=-name'))).items as unknown, [
      { id: 1, name: 'a' },
    ])
  }
  const [slice] = given as [Slice]
  for (const it of [
    slice,
    slice.where,
    slice.where[0],
    slice.where[0]?.values,
    slice.order,
    slice.order[0],
    slice.fields,
  ])
    t.true(Object.isFrozen(it))
})

test('a query that expands is kept with its relations', async t => {
  const app = kolba()
  let count = 0
  const load = () => {
    count += 1
    return [{ id: 1, name: `read ${count}` }]
  }
  const others = resource({ fields: { id: 'number', name: 'string' } })
  const linked = resource({
    fields: { id: 'number', other_id: 'number' },
    expand: { other: relation({ from: 'other_id', resource: others, load }) },
  })
  app.get('/linked', json(), collection(linked), () => [{ id: 1, other_id: 1 }])
  const client = app.client()
  for (const name of ['read 1', 'read 2']) {
    const { items } = await bodyOf(await client.get('/linked?expand=other&fields=id'))
    t.deepEqual(items as unknown, [{ id: 1, other: { id: 1, name } }])
  }
  t.deepEqual((await bodyOf(await client.get('/linked?fields=id'))).items as unknown, [{ id: 1 }])
})
