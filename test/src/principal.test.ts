import test from 'ava'
import { type BaseContext, principalOf } from 'kolba'

const of = (user: unknown) => principalOf({ user } as unknown as BaseContext)

test('principalOf() is undefined where nobody has signed in', t => {
  t.is(principalOf({} as BaseContext), undefined)
  t.is(of(undefined), undefined)
  t.is(of(null), undefined)
})

test('principalOf() goes by iss and sub, then by id, then by the user itself, then by its JSON', t => {
  t.is(of({ iss: 'a', sub: '7', id: 9, name: 'Ada' }), '3:sub,1:a,1:7,')
  t.is(of({ sub: '7', id: 9 }), '3:sub,null,1:7,')
  t.is(of({ id: 9, name: 'Ada' }), '2:id,n9,')
  t.is(of({ id: '9' }), '2:id,1:9,')
  t.is(of({ id: 9n }), '2:id,i9,')
  t.is(of('ada'), '4:user,3:ada,')
  t.is(of(7), '4:user,n7,')
  t.is(of(7n), '4:user,i7,')
  t.is(of({ name: 'Ada' }), '4:json,14:{"name":"Ada"},')
  t.is(of({ id: 0 }), '2:id,n0,')
})

test('principalOf() takes nothing empty or odd for an id', t => {
  for (const id of ['', Number.NaN, Number.POSITIVE_INFINITY, null, undefined, {}, [], true]) {
    t.true(of({ id, name: 'Ada' })?.startsWith('4:json,'), String(id))
  }
  t.true(of({ sub: '', name: 'Ada' })?.startsWith('4:json,'))
  t.true(of({ iss: ['a'], sub: '7' })?.startsWith('4:json,'))
})

test('principalOf() tells every two users apart, and who comes in another way too', t => {
  const users = [
    { sub: '7' },
    { iss: '', sub: '7', name: 'x' },
    { iss: 'a', sub: '7' },
    { iss: 'b', sub: '7' },
    { iss: 'a","7', sub: '' },
    { iss: ['a'], sub: '7' },
    { iss: ['b'], sub: '7' },
    { id: '7' },
    { id: 7 },
    { id: 7n },
    '7',
    7,
    7n,
    '{"name":"7"}',
    { name: '7' },
    { id: 'x'.repeat(500) },
    { id: 'x'.repeat(501) },
    { id: '\ud800' },
    { id: '\ud801' },
  ]
  const all = users.map(of)
  t.is(new Set(all).size, users.length)
  for (const it of all) t.true(Buffer.byteLength(it ?? '') <= 128)
})

test('principalOf() refuses a user who is like all others', t => {
  class Account {
    #id = 7
    show = () => this.#id
  }
  const circle: { self?: object } = {}
  circle.self = circle
  for (const user of [{}, [], true, false, '', Number.NaN, new Account(), circle, { big: 7n }, () => 7, Symbol('7')]) {
    t.throws(() => of(user), {
      instanceOf: TypeError,
      message: 'principalOf: this user cannot be told from others. Give ctx.user an id, or a sub.',
    })
  }
})
