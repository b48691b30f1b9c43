import { type AddsOf, type Context, get, post } from 'kolba'
import { inject } from 'kolba/inject'
import { input } from 'kolba/input'
import { int, object, text } from 'kolba/schema'

// What input() adds is annotated on a method, best by AddsOf, which cannot disagree with it. TypeScript compares the
// parameters of the path with the annotation, and nothing else of it: that is the limit of @.

const byId = input({ params: { id: int() } })
const title = input({ body: object({ title: text() }) })
const clock = inject({ now: () => new Date() })

class Books {
  @get('/books/:id')
  @byId
  show(ctx: Context<'/books/:id', AddsOf<typeof byId>>) {
    return ctx.input.params.id.toFixed()
  }

  @post('/books/:id')
  @byId
  @title
  @clock
  add(ctx: Context<'/books/:id', AddsOf<[typeof byId, typeof title, typeof clock]>>) {
    return [ctx.input.params.id.toFixed(), ctx.input.body.title.trim(), ctx.now.getTime()]
  }

  @get('/books/:isbn') // error: Property 'id' is missing in type '{ isbn: string; }'
  @byId
  wrong(ctx: Context<'/books/:id', AddsOf<typeof byId>>) {
    return ctx.input.params.id
  }

  @get('/books/:id')
  @byId
  unknown(ctx: Context<'/books/:id', AddsOf<typeof byId>>) {
    const wrong: string = ctx.input.params.id // error: Type 'number' is not assignable to type 'string'
    return [wrong, ctx.input.body] // error: Property 'body' does not exist
  }
}

void Books
