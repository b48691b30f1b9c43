// The API of books.ts as a class. Node runs TypeScript with decorators after `tsc`, not by stripping types.
import { type Context, created, del, get, kolba, post, problem } from 'kolba'
import { type BodyInput, body } from 'kolba/body'
import { json } from 'kolba/json'

interface Book {
  id: number
  title: string
}

class Books {
  #last = 1
  #shelf = new Map<number, Book>([[1, { id: 1, title: 'Emma' }]])

  @get('/books')
  @json()
  list() {
    return [...this.#shelf.values()]
  }

  @get('/books/:id')
  @json()
  show(ctx: Context<'/books/:id'>) {
    return this.#find(ctx.params.id)
  }

  @post('/books')
  @json()
  @body()
  add(ctx: Context<'/books', BodyInput>) {
    this.#last += 1
    const book = { id: this.#last, title: titleOf(ctx.input.body) }
    this.#shelf.set(book.id, book)
    return created(app.url(this.show, { id: book.id }), book)
  }

  @del('/books/:id')
  remove(ctx: Context<'/books/:id'>) {
    this.#shelf.delete(this.#find(ctx.params.id).id)
    return null
  }

  #find(id: string): Book {
    const book = this.#shelf.get(Number(id))
    if (!book) throw problem(404, { detail: `There is no book ${id}.` })
    return book
  }
}

function titleOf(body: unknown): string {
  const { title } = Object(body)
  if (typeof title !== 'string') throw problem(422, { detail: 'Send {"title": "some text"}.' })
  return title
}

export const app = kolba()
app.mount('/', new Books())

if (process.argv[1] === import.meta.filename) app.listen(3000)
