// Two modules and an app that puts each under a prefix.
import { kolba } from 'kolba'
import { authors } from './authors.ts'
import { books } from './books.ts'

export const app = kolba()
app.mount('/authors', authors)
app.mount('/books', books)

if (process.argv[1] === import.meta.filename) app.listen(3000)
