import { type AddsOf, type InputOf, kolba, type OutputOf } from 'kolba'
import { type Input, input } from 'kolba/input'
import {
  date,
  flag,
  float,
  int,
  list,
  nullable,
  object,
  oneOf,
  optional,
  readOnly,
  text,
  uuid,
  writeOnly,
} from 'kolba/schema'
import { z } from 'zod'
import { same } from './same.ts'

// What a schema gives, and what it takes.
const whole = int()
same<OutputOf<typeof whole>, number>(true)
const kinds = oneOf('a', 1, null)
same<OutputOf<typeof kinds>, 'a' | 1 | null>(true)
const day = date()
same<OutputOf<typeof day>, Date>(true)
same<InputOf<typeof day>, string>(true)
const all = object({
  a: uuid(),
  b: optional(float()),
  c: optional(flag(), true),
  d: nullable(text()),
  e: list(object({ f: date() })),
  g: readOnly(int()),
  h: writeOnly(text()),
  i: z.string().optional(),
})
const given = {} as OutputOf<typeof all>
same<typeof given.b, number | undefined>(true)
same<typeof given.c, boolean>(true)
same<typeof given.d, string | null>(true)
same<typeof given.e, { f: Date }[]>(true)
same<typeof given.g, number | undefined>(true)
same<typeof given.h, string>(true)
const least: OutputOf<typeof all> = { a: '', c: true, d: null, e: [], h: '' }
const taken: InputOf<typeof all> = { a: '', d: null, e: [{ f: '2026-02-28' }], h: '' }
const missing: OutputOf<typeof all> = { a: '', c: true, d: null, e: [] } // error: Property 'h' is missing
same<OutputOf<{ id: typeof whole; page: ReturnType<typeof z.string> }>, { id: number; page: string }>(true)
same<OutputOf<{ type: 'object' }>, unknown>(true)

// What input() adds: the declared parts and no others.
const byId = input({ params: { id: int() }, query: z.object({ page: z.int().default(1) }) })
same<AddsOf<typeof byId>, { input: { params: { id: number }; query: { page: number } } }>(true)

const app = kolba()
app.get('/books/:id', byId, ({ input, params }) => {
  same<typeof input.params.id, number>(true)
  same<typeof params.id, string>(true)
  return input.body // error: Property 'body' does not exist
})
app.get('/books/:id/more', byId, input({ headers: { 'x-a': optional(int()) } }), ({ input }) => {
  same<typeof input.params.id, number>(true)
  same<(typeof input.headers)['x-a'], number | undefined>(true)
  return input.query.page
})

// A handler by itself says what it needs.
const show = ({ input }: Input<{ params: { id: typeof whole } }>) => input.params.id
show({ input: { params: { id: 7 } } })
show({ input: { params: { id: '7' } } }) // error: Type 'string' is not assignable to type 'number'
app.get('/show/:id', input({ params: { id: int() } }), show)

// What is wrong is said where it stands.
input({ query: { page: 5 } }) // at run time: this may be a JSON Schema
input({ params: 5 }) // error: Type 'number' is not assignable
input({ parms: { id: int() } }) // error: 'parms' does not exist
input({ body: text() }, { optional: true }) // error: 'optional' does not exist
int({ min: '1' }) // error: Type 'string' is not assignable to type 'number'
optional(int(), '1') // error: is not assignable to parameter of type 'number'
object({ a: 5 }) // error: Type 'number' is not assignable
list(5) // error: Argument of type 'number' is not assignable

export { least, missing, taken }
