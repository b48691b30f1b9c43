import { BODY_OPTIONS, type BodyOptions } from '../src/body/body.ts'
import { type AroundContext, checkOptions, type Decorator, decorator, kinds, nameOf, type Route } from '../src/index.ts'
import type { AnySchema, OutputOf } from '../src/schema/index.ts'
import { noteOf } from './input/note.ts'
import { PLACES, type Prepared, prepare } from './input/prepare.ts'
import { readAll } from './input/read.ts'
import { checkRoute, declaring } from './input/route.ts'

/** What a route takes, by where it comes from. */
export interface InputSchemas {
  /** Parameters of the path. What does not fit is 404. */
  params?: AnySchema
  query?: AnySchema
  /** Headers, by their name in any case; only those that are declared are looked at. */
  headers?: AnySchema
  /** Cookies; only those that are declared are looked at. */
  cookies?: AnySchema
  /** The body, which is read for it. */
  body?: AnySchema
}

/** How the body is read: as with `body()`, except that the types are by default those that its schema may take. */
export interface InputOptions extends Omit<BodyOptions, 'optional'> {
  /** Takes a cookie only with a good signature by the app's `keys`, as `ctx.cookies.set` with `signed` makes it. @default false */
  signed?: boolean
}

/** What `input()` adds to ctx. */
export interface Input<S> {
  input: { -readonly [P in keyof S]: OutputOf<S[P]> }
}

/**
 * Checks what a route takes, and hands it down typed, as `ctx.input`: `params`, `query`, `headers`, `cookies`, `body`,
 * those that are declared.
 *
 * Each is a Standard Schema (of zod, valibot, arktype, `kolba/schema`), an object of them by name, or a JSON Schema
 * 2020-12, for which ajv and ajv-formats are installed. Text is converted by the type that is declared and by nothing
 * else: numbers in JSON's grammar, `true`, `false`, `1` and `0`, ISO dates, lists by repetition or with commas. A
 * property that is not declared, or is `readOnly`, does not reach the handler, at no level.
 *
 * A path parameter that does not fit is 404. All else is one 422 with every fault in `errors`, by JSON pointer or name
 * and never with the value. A repeated parameter that is no list, a malformed query or body, more than 100 parameters
 * or one over 2 KiB is 400; the body's type and size are 415 and 413.
 *
 * It stands below what may turn a request away. Several of them add up, a group's and a route's for one, each with parts
 * of its own.
 *
 * @throws TypeError at registration, for what is no schema, for a part that is declared twice on a route, for parameters
 *   that the path does not have, and for a body that must be there on a route of GET alone
 * @example
 * app.get('/books/:id', input({ params: { id: int() }, query: { page: optional(int({ min: 1 }), 1) } }), ctx =>
 *   shelf.page(ctx.input.params.id, ctx.input.query.page))
 */
export function input<const S extends InputSchemas>(schemas: S, options: InputOptions = {}): Decorator<Input<S>> {
  const places = Object.fromEntries(PLACES.map(place => [place, { words: 'a schema', test: () => true }]))
  if (!kinds.object.test(schemas)) throw new TypeError('input: there are no schemas. Give { query: ... } or the like.')
  checkOptions('input', schemas, places)
  const { optional, ...known } = BODY_OPTIONS
  checkOptions('input', options, { ...known, signed: kinds.flag })
  let made: Prepared | undefined
  const prepared = (route?: Route): Prepared => {
    made ??= prepare(route ? `${nameOf(route)}: input` : 'input', schemas, options)
    return made
  }

  const around = (ctx: AroundContext, next: (added: Input<S>) => unknown) =>
    readAll(prepared(), ctx, input => next({ input } as Input<S>))
  const self = decorator('input', around, {
    note: route => noteOf(prepared(route)),
    reads: schemas.body !== undefined,
    register(route) {
      checkRoute(route, prepared(route))
      return undefined
    },
  })
  return declaring(
    self,
    PLACES.filter(place => schemas[place] !== undefined),
  )
}
