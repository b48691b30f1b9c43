import test from 'ava'
import { kolba } from 'kolba'

test('kolba() answers a request with what the handler returns', async t => {
  const app = kolba()
  app.get('/hello/:name', ctx => `Hello, ${ctx.params.name}!`)
  const response = await app.client().get('/hello/Ada')
  t.is(response.status, 200)
  t.is(await response.text(), 'Hello, Ada!')
})
