import type { Body } from '../../src/body/body.ts'
import { type AroundContext, type Awaitable, isPromise, problem, when } from '../../src/index.ts'
import type { Checked } from '../../src/schema/index.ts'
import { refusal, type SaidFault, say } from './faults.ts'
import type { Part, Place } from './part.ts'
import type { BodyPart, Prepared } from './prepare.ts'

/** What a route takes, by place. */
export type Values = { [P in Place]?: unknown }

type Go = (values: Values) => unknown

/**
 * Reads and checks what a route takes, and goes on with it, beside what is in `ctx.input` already. It makes a promise only
 * for a body that is yet to be read, and where a schema makes one.
 *
 * The path's first, because nothing else matters where there is no such resource; then all the rest at once.
 *
 * @throws Problem 404 and 422 for what does not fit, and 400, 413, 415 where it cannot be read
 */
export function readAll(prepared: Prepared, ctx: AroundContext, go: Go): unknown {
  const { params } = prepared
  const values: Values = { ...(ctx as { input?: Values }).input }
  if (!params) return readRest(prepared, ctx, values, go)
  return when(check(params, ctx), result => {
    if (result.faults) throw problem(404, { detail: 'Nothing is at this path.' })
    values.params = result.value
    return readRest(prepared, ctx, values, go)
  })
}

function readRest(prepared: Prepared, ctx: AroundContext, values: Values, go: Go): unknown {
  const { others, body } = prepared
  const results = others.map(part => check(part, ctx))
  if (!body) return when(together(results), results => conclude(others, results, values, go))
  const read = readBody(body, ctx, values)
  const finish = (results: Checked[], its: Body) =>
    when(checkBody(body, its), last => {
      results.push(last)
      return conclude(prepared.all, results, values, go)
    })
  // Together, because one that fails while another is waited for would fail unheard.
  if (results.some(isPromise)) return Promise.all([together(results), read]).then(all => finish(...all))
  return when(read, its => finish(results as Checked[], its))
}

function together(results: Awaitable<Checked>[]): Awaitable<Checked[]> {
  return results.some(isPromise) ? Promise.all(results) : (results as Checked[])
}

function check(part: Part, ctx: AroundContext): Awaitable<Checked> {
  return part.check(part.refine(part.read(ctx), true))
}

/** The body, unless something above has read it. */
function readBody({ reader }: BodyPart, ctx: AroundContext, values: Values): Awaitable<Body> {
  return 'body' in values ? { value: values.body, type: 'json' } : reader.read(ctx)
}

function checkBody(part: BodyPart, { value, type }: Body): Awaitable<Checked> {
  return part.check(value === undefined ? undefined : part.refine(value, type === 'form'))
}

function conclude(parts: readonly Part[], results: readonly Checked[], values: Values, go: Go): unknown {
  let faults: SaidFault[] | undefined
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] as Part
    const result = results[index] as Checked
    if (result.faults) faults = [...(faults ?? []), ...result.faults.map(it => say(part, it))]
    else values[part.place] = result.value
  }
  if (faults) throw refusal(faults)
  return go(values)
}
