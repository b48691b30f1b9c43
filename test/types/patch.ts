import { type AddsOf, type BaseContext, decorator, kolba, type Next } from 'kolba'
import { patch } from 'kolba/patch'
import { int, object, optional, text } from 'kolba/schema'
import { z } from 'zod'
import { same } from './same.ts'

const app = kolba()
const book = object({ title: text(), year: optional(int()) })
const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: string }>) => next({ user: 'Ada' }))

// What is patched is what the schema gives, and unknown without one.
app.patch('/a', patch(), ctx => same<typeof ctx.patched, unknown>(true))
app.patch('/b', patch({ load: () => ({ a: 1 }) }), ctx => same<typeof ctx.patched, unknown>(true))
app.patch('/c', patch({ schema: book }), ctx => ctx.patched.title.length + (ctx.patched.year ?? 0))
app.patch('/d', patch({ schema: { id: int() } }), ctx => same<typeof ctx.patched, { id: number }>(true))
app.patch('/e', patch({ schema: z.object({ at: z.coerce.date() }) }), ctx => ctx.patched.at.getTime())
app.patch('/f', patch({ schema: { type: 'object' } }), ctx => same<typeof ctx.patched, unknown>(true))
app.patch('/g', patch({ schema: book }), ctx => ctx.patched.isbn) // error: 'isbn' does not exist
app.get('/h', ctx => ctx.patched) // error: 'patched' does not exist

// What load needs has to stand above.
const own = patch({ load: (ctx: BaseContext & { user: string }) => ({ of: ctx.user }), schema: book })
app.patch('/i', signedIn, own, ctx => ctx.patched.title)
app.patch('/j', own, ctx => ctx.patched.title) // error: user
app.patch('/k/:id', patch({ load: ctx => ctx.params.id, schema: book }), ctx => ctx.params.id + ctx.patched.title)

const byBook = patch({ schema: book })
same<AddsOf<typeof byBook>, { patched: { title: string; year?: number | undefined } }>(true)
patch({ types: ['json'] }) // error: '"json"' is not assignable
