import { STATUS_CODES } from 'node:http'
import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  isBytes,
  isResponse,
  kinds,
  type Note,
  nameOf,
  Reply,
  type Route,
  statusOf,
  when,
} from '../src/index.ts'
import { type AnySchema, type Outgoing, prepareOutgoing } from '../src/schema/index.ts'
import { fault, isRendered, NO_RESPONSE, RENDERED, report, undeclared } from './output/faults.ts'
import { readStatuses } from './output/statuses.ts'
import type { ReplyByStatus, ReplyOf, StatusSchemas } from './output/types.ts'

export type { Given, StatusSchemas } from './output/types.ts'

export interface OutputOptions {
  /** Answers 500 in production too for what does not fit, where it would be a warning in the log. @default false */
  enforce?: boolean
}

/**
 * Lets out what is declared, and nothing else: undeclared and `writeOnly` properties go, at every level, and what is
 * left is checked.
 *
 * Give a schema for 200, or one with its status, or several by status; several of them add up. Each is a Standard
 * Schema, an object of them by name, or a JSON Schema 2020-12, as with `input()`. What it makes of a value (defaults,
 * transforms) is not sent: the value is, as it was, with less in it. A Date is the text that JSON makes of it.
 *
 * A value that does not fit is a 500 of which the log names route, status and field, and never the value. In production
 * it is a warning in the log, and is sent. What cannot be pruned is a 500 there too: a 2xx that is not declared, a web
 * `Response` with a body, text that is JSON already, and a misfit of a schema that does not say what it declares.
 * Errors, thrown or returned, statuses from 300 that are not declared, `null`, streams and buffers pass.
 *
 * It stands below `json()` and `etag()`.
 *
 * @throws TypeError at registration, for what is no schema, for a status that is none, for one declared twice, and above
 *   what renders
 * @example
 * app.get('/books/:id', json(), output({ id: int(), title: text() }), ctx => shelf.row(ctx.params.id))
 * app.put('/books/:id', json(), output({ 200: book, 201: book, 409: clash }), put)
 */
export function output<const N extends number, const S extends AnySchema>(
  status: N,
  schema: S,
  options?: OutputOptions,
): Decorator<object, BaseContext, ReplyByStatus<{ readonly [K in N]: S }>>
export function output<const S extends AnySchema | StatusSchemas>(
  schema: S,
  options?: OutputOptions,
): Decorator<object, BaseContext, keyof S extends number ? ReplyByStatus<S> : ReplyOf<S>>
export function output(...given: unknown[]): Decorator<object, BaseContext, never> {
  const { schemas, options } = readStatuses(given)
  checkOptions('output', options, { enforce: kinds.flag })
  let made: ReadonlyMap<number, Outgoing> | undefined
  const prepared = (route?: Route): ReadonlyMap<number, Outgoing> => {
    const where = route ? `${nameOf(route)}: output` : 'output'
    made ??= new Map([...schemas].map(([status, schema]) => [status, prepareOutgoing(`${where} ${status}`, schema)]))
    return made
  }
  const around = (declared?: readonly number[]) => (ctx: AroundContext, next: () => Awaitable<unknown>) =>
    when(next(), value => send(ctx, value, prepared(), { ...options, declared }))

  const its = decorator('output', around() as never, {
    note: route => noteOf(prepared(route)),
    register(route) {
      prepared(route)
      checkPlace(route, self)
      return around(checkStatuses(route)) as never
    },
  })
  const self: Decorator = Object.assign(its, { [statuses]: [...schemas.keys()] })
  return self as never
}

/** The statuses that an output() declares, for the others on its route. */
const statuses: unique symbol = Symbol.for('kolba.output') as never

/** @throws TypeError where what it is given is text already, which no schema is about */
function checkPlace(route: Route, self: Decorator): void {
  const { decorators } = route
  const below = decorators
    .slice(decorators.indexOf(self) + 1)
    .find(({ name }) => name === 'json' || name === 'produces')
  if (decorators.includes(self) && below)
    throw new TypeError(`${nameOf(route)}: output() stands above ${below.name}(), which makes text. Put it below.`)
}

/** @throws TypeError for a status that is declared twice */
function checkStatuses(route: Route): number[] {
  const all = route.decorators.flatMap(it => (it as { [statuses]?: number[] })[statuses] ?? [])
  const twice = all.find((status, index) => all.indexOf(status) < index)
  if (twice === undefined) return all
  throw new TypeError(`${nameOf(route)}: output declares ${twice} twice. Leave one of them out.`)
}

function noteOf(prepared: ReadonlyMap<number, Outgoing>): Note {
  const responses = [...prepared].map(([status, { json: schema }]) => {
    const content = { 'application/json': schema === undefined ? {} : { schema } }
    return [status, { description: STATUS_CODES[status] ?? 'The value', content }]
  })
  return { responses: Object.fromEntries(responses) }
}

interface SendOptions extends OutputOptions {
  /** The statuses of all output() on the route. */
  declared: readonly number[] | undefined
}

/** On its way up: the value as it may leave. */
function send(
  ctx: AroundContext,
  value: unknown,
  prepared: ReadonlyMap<number, Outgoing>,
  options: SendOptions,
): unknown {
  if (value instanceof Error) return value
  const given = value === undefined ? ctx.body : value
  const { status, body } = given instanceof Reply || isResponse(given) ? given : new Reply(statusOf(ctx), given)
  if (body === undefined || body === null) return value
  const outgoing = prepared.get(status)
  const isDeclared = outgoing !== undefined || !options.declared || options.declared.includes(status)
  if (isDeclared ? !outgoing : status >= 300) return value
  if (isResponse(given)) throw fault(ctx, status, NO_RESPONSE)
  if (isBytes(body)) return value
  if (!outgoing) throw fault(ctx, status, undeclared(status, options.declared))
  if (isRendered(ctx, given, body)) throw fault(ctx, status, RENDERED)

  const { read, check, isKnown } = outgoing
  const { sent, asJson } = read(body)
  return when(check(asJson), result => {
    if (result.faults) report(ctx, status, result.faults, !isKnown || options.enforce === true)
    const answer = isKnown ? sent : (result as { value: unknown }).value
    return given instanceof Reply ? new Reply(status, answer, given.headers) : answer
  })
}
