import { blueprint } from 'kolba'
import { json } from 'kolba/json'

const shelf = [
  { title: 'Emma', author: 'austen' },
  { title: 'The Pillow Book', author: 'sei' },
]

/** Books. Its endpoints are `books.list` and so on, from wherever they are mounted. */
export const books = blueprint('books', json())

books.get('/', function list(ctx) {
  const { author } = ctx.query
  return shelf
    .filter(book => !author || book.author === author)
    .map(({ title, author }) => ({ title, author: ctx.urlFor('authors.show', { id: author }) }))
})
