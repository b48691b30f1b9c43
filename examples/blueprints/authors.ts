import { blueprint, problem } from 'kolba'
import { json } from 'kolba/json'

const names: Record<string, string> = { austen: 'Jane Austen', sei: 'Sei Shonagon' }

/** Authors, as a module of its own: routes without an app. */
export const authors = blueprint('authors', json())

authors.get('/', function list() {
  return Object.keys(names)
})

authors.get('/:id', function show(ctx) {
  const name = names[ctx.params.id]
  if (!name) throw problem(404, { detail: `There is no author ${ctx.params.id}.` })
  return { name, books: ctx.urlFor('books.list', {}, { author: ctx.params.id }) }
})
