import test from 'ava'
import { kolba, type Replaceable } from 'kolba'

test('app.override() puts a value in the place of any object, the last one counts, and each is taken back', t => {
  const app = kolba()
  const key: Replaceable<string | undefined> = {}
  t.is(app.overrides.get(key), undefined)
  const takeBackFirst = app.override(key, 'first')
  const takeBackSecond = app.override(key, undefined)
  t.like(app.overrides.get(key), { value: undefined })
  takeBackSecond()
  t.is(app.overrides.get(key)?.value, 'first')
  t.is(app.overrides.get({}), undefined)
  t.is(kolba().overrides.get(key), undefined)
  takeBackFirst()
  takeBackFirst()
  t.is(app.overrides.get(key), undefined)
})
