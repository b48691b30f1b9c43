import test from 'ava'
import { requestIds } from '../../src/request-id.ts'

test('requestIds() gives 12 characters that are safe in a log, each time others', t => {
  const [one, other] = [requestIds(), requestIds()]
  const ids = Array.from({ length: 5000 }, (_, index) => (index % 2 ? one(undefined) : other(undefined)))
  t.is(new Set(ids).size, ids.length)
  t.true(ids.every(id => /^[\w-]{12}$/.test(id)))
})
