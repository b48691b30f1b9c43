// A shelf of books with the stack. The same API with @ on methods is in classes.ts.
import { created, kolba, problem } from 'kolba'
import { body } from 'kolba/body'
import { json } from 'kolba/json'

interface Book {
  id: number
  title: string
}

export const app = kolba()
const shelf = new Map<number, Book>([[1, { id: 1, title: 'Emma' }]])
let last = 1

app.get('/books', json(), () => [...shelf.values()])

const show = app.get('/books/:id', json(), ctx => find(ctx.params.id))

app.post('/books', json(), body(), ctx => {
  last += 1
  const book = { id: last, title: titleOf(ctx.input.body) }
  shelf.set(book.id, book)
  return created(app.url(show, { id: book.id }), book)
})

app.delete('/books/:id', ctx => {
  shelf.delete(find(ctx.params.id).id)
  return null
})

function find(id: string): Book {
  const book = shelf.get(Number(id))
  if (!book) throw problem(404, { detail: `There is no book ${id}.` })
  return book
}

function titleOf(body: unknown): string {
  const { title } = Object(body)
  if (typeof title !== 'string') throw problem(422, { detail: 'Send {"title": "some text"}.' })
  return title
}

if (process.argv[1] === import.meta.filename) app.listen(3000)
