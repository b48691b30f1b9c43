import { kolba, problem, reply } from 'kolba'
import { json } from 'kolba/json'
import { type Given, output } from 'kolba/output'
import { date, flag, int, list, object, optional, text } from 'kolba/schema'
import * as v from 'valibot'
import { z } from 'zod'
import { same } from './same.ts'

const app = kolba()
const book = object({ id: int(), title: text() })
const order = object({ id: int(), at: date(), lines: list(object({ paid: flag(), note: optional(text()) })) })
const lines = [{ paid: true, more: 1 }]

// What fits, with more properties than are declared; a Date where there is text in JSON; a promise; a Reply; null.
app.get('/a', json(), output(order), () => ({ id: 7, at: new Date(), lines, more: 1 }))
app.get('/b', output({ 200: order, 404: book }), async () => ({ id: 7, at: '2026-02-28', lines }))
app.get('/c', output(order), () => reply(200, 5))
app.get('/d', output(order), () => null)
app.get('/e', output(order), () => Response.error())
app.get('/e/:id', output(book), ({ params }) => (params.id ? { id: 7, title: 'Emma' } : problem(404)))
app.get('/f', output(z.object({ at: z.date() })), () => ({ at: new Date() }))
app.get('/g', output({ id: int() }), () => ({ id: 7, title: 'Emma' }))
app.get('/h', output(v.array(v.string())), () => ['a'] as readonly string[])

// A plain value is of 200, and other statuses say nothing of it; a JSON Schema says nothing to TypeScript.
app.get('/i', output(201, book), () => 5)
app.get('/j', output({ 201: book }), () => 5)
app.get('/k', output({ type: 'object', properties: {} }), () => 5)

// What does not, is said at the handler.
app.get('/l', output(order), () => ({ id: '7', at: new Date(), lines })) // error: Type 'string' is not assignable
app.get('/m', output({ 200: book, 201: order }), async () => ({ id: 7 })) // error: title
app.get('/n', output(200, order), () => ({ id: 7, at: new Date(), lines: [{ paid: 1 }] })) // error: Type 'number' is not
app.get('/o', output(book), () => {}) // error: Type 'void' is not assignable
output(book, { force: true }) // error: 'force' does not exist

same<Given<unknown>, unknown>(true)
const given: Given<{ at: string; tags: string[] }> = { at: new Date(), tags: [{ toJSON: () => 'a' }] }
void given
