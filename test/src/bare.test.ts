import test from 'ava'
import { Bare, isBare } from 'kolba'

test('new Bare() inherits nothing, and takes every name', t => {
  const it = new Bare()
  for (const name of ['constructor', '__proto__', 'toString']) {
    t.false(name in it, name)
    it[name] = name
    t.is(it[name], name)
  }
  t.deepEqual(Object.keys(it), ['constructor', '__proto__', 'toString'])
  t.false('toString' in new Bare())
  t.throws(() => Object.assign(Object.getPrototypeOf(it), { toString: 1 }), { instanceOf: TypeError })
})

test('isBare() tells them and Object.create(null) from other objects', t => {
  t.true(isBare(new Bare()))
  t.true(isBare(Object.create(null)))
  t.false(isBare({}))
  t.false(isBare([]))
  t.false(isBare(Object.create(new Bare())))
})
