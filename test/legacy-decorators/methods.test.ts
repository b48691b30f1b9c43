import test from 'ava'
import { type Context, get, kolba } from 'kolba'
import { json } from 'kolba/json'

class Books {
  @get('/books/:id')
  @json()
  show(ctx: Context<'/books/:id'>) {
    return { id: ctx.params.id }
  }
}

test('@get() works with experimentalDecorators', async t => {
  const app = kolba()
  app.mount('/v1', new Books())
  const response = await app.client().get('/v1/books/7')
  t.deepEqual(await response.json(), { id: '7' })
})
