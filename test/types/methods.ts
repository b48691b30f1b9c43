import { type BaseContext, type Context, del, get, kolba, patch, post, put, route, stack } from 'kolba'
import { json } from 'kolba/json'
import { adds, signedIn, type User } from './given.ts'

// Compiled in both modes of decorators. TypeScript infers nothing for a method, so that each says what its ctx is.

class Books {
  readonly #shelf = new Map<string, string>()

  @get('/books')
  @stack(json(), adds('a'))
  list() {
    return [...this.#shelf.keys()]
  }

  @get('/books/:id')
  @json()
  show(ctx: Context<'/books/:id'>) {
    return this.#shelf.get(ctx.params.id)
  }

  @get('/me/:id')
  @signedIn
  @json()
  async mine(ctx: Context<'/me/:id', { user: User }>) {
    return ctx.user.name + ctx.params.id
  }

  @put('/books/:id')
  @patch('/books/:id')
  change({ params: { id } }: { params: { id: string } }) {
    return id
  }

  @route(['POST', 'QUERY'], '/books')
  @del('/books')
  other(ctx: BaseContext): string {
    return ctx.path
  }

  @post('/books/:id/:page')
  part(ctx: Context<'/books/:id'>) {
    return ctx.params.id
  }

  @get('/books/:isbn') // error: Property 'id' is missing in type '{ isbn: string; }' but required in type '{ id: string; }'
  @json()
  wrong(ctx: Context<'/books/:id'>) {
    return ctx.params.id
  }

  @route('PUT', '/books/:isbn') // error: Property 'id' is missing in type '{ isbn: string; }'
  wrongToo({ params }: { params: { id: string } }) {
    return params.id
  }

  @get('/books')
  @json // error standard: is not assignable // error legacy: Did you mean to call it first and write '@json()'?
  uncalled() {}

  @get // error: Unable to resolve signature of method decorator
  uncalledRoute() {}

  @get('/books') // error: Unable to resolve signature of property decorator
  field = 1

  @json() // error: Unable to resolve signature of property decorator
  fieldToo = 1

  @get(7) // error: Argument of type 'number' is not assignable to parameter of type 'string'
  number() {}

  @get('/books')
  untyped(_ctx) {} // error: Parameter '_ctx' implicitly has an 'any' type
}

@get('/books') // error: Unable to resolve signature of class decorator
export class Shop {}

@json() // error: Unable to resolve signature of class decorator
export class ShopToo {}

kolba().mount('/v1', new Books(), signedIn)
