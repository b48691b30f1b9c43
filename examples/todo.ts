// A to-do list: pages, tags, guarded writes, bearer tokens, and a limit for each user.
import { created, kolba, problem } from 'kolba'
import { tokenAuth } from 'kolba/auth'
import { collection, resource } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { input } from 'kolba/input'
import { rateLimit } from 'kolba/rate-limit'
import { flag, optional, text } from 'kolba/schema'

const todos = new Map<string, { id: number; title: string; done: boolean }>()
const list = resource({ fields: { id: 'number', title: 'string', done: 'boolean' } })
const todo = input({ body: { title: text({ max: 200 }), done: optional(flag(), false) } })
const signedIn = tokenAuth({ secret: process.env.SECRET, issuer: false, audience: 'todo' })
let last = 0

export const app = kolba()
const api = app.group('/todos', signedIn, rateLimit('100/min'))
api.get('/', etag(), collection(list, { name: false, totalHeader: true }), () => todos.values())
api.get('/:id', etag(), ctx => todos.get(ctx.params.id) ?? problem(404))
api.post('/', todo, ctx => {
  const row = { id: ++last, ...ctx.input.body }
  todos.set(`${row.id}`, row)
  return created(`/todos/${row.id}`, row)
})
api.put('/:id', etag({ required: true }), todo, ctx => {
  const row = todos.get(ctx.params.id)
  return row ? Object.assign(row, ctx.input.body) : problem(404)
})
api.delete('/:id', etag(), ctx => (todos.delete(ctx.params.id) ? null : problem(404)))
if (process.argv[1] === import.meta.filename) app.listen(process.env.PORT ?? 3000)
