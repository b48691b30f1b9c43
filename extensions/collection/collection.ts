import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  type Decorator,
  decorator,
  isResponse,
  type Next,
  Reply,
  statusOf,
  when,
} from '../../src/index.ts'
import { arrived } from './arrived.ts'
import { bodyOf, withDetails } from './body.ts'
import { expandRows } from './expand.ts'
import { noteOf } from './note.ts'
import { checkPlanOptions, type PlanOptions, settingsOf } from './options.ts'
import { readPage } from './page.ts'
import { aloneOf, collecting, foreignOf, isWorker, markNote, wholeOf } from './parts.ts'
import { type Asked, type Plan, planOf } from './plan.ts'
import { isPreparing } from './prepared.ts'
import type { Part } from './query.ts'
import type { Resource } from './resource.ts'
import { chooseSource } from './source.ts'
import type { Row } from './types.ts'

/** What a handler below a collection returns: rows, a query for them, or what is no collection. */
export type Given = object | null

export type Collecting<Needs = unknown> = Decorator<object, BaseContext & Needs, Given>

/** A decorator of these parts. All parts of a route work as one: the innermost does the work, the others take part. */
export function partDecorator(
  name: string,
  parts: readonly Part[],
  resource: Resource | undefined,
  options: PlanOptions,
): Collecting {
  checkPlanOptions(name, parts, options)
  const its = { name, parts, resource, options }
  let alone: Plan | undefined
  const around = (ctx: AroundContext, next: Next<object, Given>) => {
    alone ??= planOf(aloneOf(its), new Set())
    return work(alone, ctx, next)
  }
  const self: Collecting = decorator<object, BaseContext, Given>(name, around, {
    note(route) {
      if (!isWorker(self as Decorator, route)) return {}
      const whole = wholeOf(self as Decorator, route)
      return markNote(noteOf(whole, settingsOf(whole.options), route.methods))
    },
    register(route) {
      const whole = wholeOf(self as Decorator, route)
      if (!isWorker(self as Decorator, route)) return (_ctx, next) => next()
      const plan = planOf(whole, foreignOf(route), route)
      return (ctx, next) => work(plan, ctx, next)
    },
  })
  return collecting(self, its)
}

function work(plan: Plan, ctx: AroundContext, next: Next<object, Given>): unknown {
  return when(plan.read(ctx), asked => arrived(next(), plan.settings.sources, value => answer(plan, asked, ctx, value)))
}

function answer(plan: Plan, asked: Asked, ctx: AroundContext, value: unknown): unknown {
  if (value === undefined || value === null || value instanceof Error || isResponse(value)) return value
  if (!(value instanceof Reply)) return statusOf(ctx) === 200 ? bodyFrom(plan, asked, ctx, value) : value
  const { status, body, headers } = value
  if (status !== 200 || body === undefined || body === null) return value
  return when(bodyFrom(plan, asked, ctx, body), body => new Reply(status, body, headers))
}

function bodyFrom(plan: Plan, asked: Asked, ctx: AroundContext, value: unknown): Awaitable<object> {
  const { resource, parts, settings } = plan
  const { prepared, walk } = asked
  const source = chooseSource(value, settings.sources)
  const isPaged = parts.has('page')
  const { mayBeBeyond } = settings
  const { key } = resource
  return when(readPage({ prepared, key, isPaged, mayBeBeyond, position: walk?.position, source, value }, ctx), page => {
    const { expand } = prepared.query
    const expanded = expand.length > 0 ? expandRows(page.rows, expand, resource, ctx, settings.sources) : page.rows
    return when(expanded, rows => {
      const items = prepared.isWhole && isPreparing(source) ? rows.map(row => ({ ...row })) : pick(rows, prepared.names)
      if (isPaged) return bodyOf(ctx, { ...page, rows, items }, asked, plan)
      return withDetails([...items], { rows, items })
    })
  }) as Awaitable<object>
}

/** The rows as they leave: what was selected, in the order of the declaration, and what was expanded. */
function pick(rows: readonly Row[], names: readonly string[]): Row[] {
  return rows.map(row => {
    const item: Row = {}
    for (const name of names) item[name] = row[name] ?? null
    return item
  })
}
