import type { OutgoingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BaseContext, decorator, type Kolba, kolba, problem, reply, stack, when } from 'kolba'
import { etag } from 'kolba/etag'
import { MemoryLogger } from '../memory-logger.ts'
import { fieldsOf, isValidated, type Step } from './format.ts'

/** A request that has come to the origin, and what it was answered with. */
export interface Visit {
  /** The number of the client's step, from 1. */
  readonly step: number
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The fields that the step says, as they are at this time. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** The fields of the step before, as they were when it was here. */
  readonly before: ReadonlyMap<string, readonly string[]> | undefined
  /** Undefined where the connection was closed. */
  answer?: { readonly status: number; readonly headers: OutgoingHttpHeaders; readonly body: unknown }
}

export interface Run {
  readonly steps: readonly Step[]
  readonly visits: Visit[]
}

export interface Origin {
  readonly app: Kolba
  /** The runs by their id, which is the path `/test/:run` and the body of most answers. */
  readonly runs: Map<string, Run>
}

/** Statuses that have no body: RFC 9110 sections 15.3.5 and 15.4.5. */
const EMPTY = new Set([204, 304])
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'M-SEARCH']

/**
 * The origin of the cases as a kolba app: one route, which answers as the step says. Where the step is about validation,
 * the representation is what it was in the step before, and it is `etag()` that says whether the client has it.
 */
export function cacheTestOrigin(): Origin {
  const runs = new Map<string, Run>()
  const visits = new WeakMap<BaseContext, Visit>()
  const app = kolba({ signals: false, logger: new MemoryLogger() })

  // What the step says of the representation goes out in place of what it was known by.
  const renewed = decorator('renewed', (ctx, next) =>
    when(next(), value => {
      for (const name of ['etag', 'last-modified']) {
        const values = visits.get(ctx)?.fields.get(name)
        if (values) ctx.set(name, [...values])
      }
      return value
    }),
  )

  function lastModified(_row: unknown, ctx: BaseContext): string | undefined {
    return visits.get(ctx)?.before?.get('last-modified')?.at(-1)
  }

  const validate = stack(
    renewed,
    // A resource that had no tag in the step before is not given one by its bytes.
    etag({ version: () => undefined, lastModified }),
  )(ctx => {
    const { fields, before } = visits.get(ctx) as Visit
    const { etag: _tag, 'last-modified': _date, ...others } = Object.fromEntries(fields)
    const tag = before?.get('etag')?.at(-1)
    if (tag !== undefined) ctx.set('ETag', tag)
    return reply(200, bodyOf(ctx), others)
  })

  function bodyOf({ params, headers }: BaseContext & { params?: { run?: string } }): string {
    const id = params?.run ?? ''
    return runs.get(id)?.steps[Number(headers['req-num']) - 1]?.response_body || id
  }

  app.route(METHODS, '/test/:run{/*rest}', async function play(ctx) {
    const run = runs.get(ctx.params.run)
    const number = Number(ctx.get('Req-Num'))
    const step = run?.steps[number - 1]
    if (!run || !step) throw problem(409, { detail: 'There is no such run, or no such step.' })
    if (step.response_pause) await sleep(step.response_pause * 1000)
    for (const [status, fields = []] of step.interim_responses ?? []) {
      if (status === 102) ctx.res.writeProcessing()
      else ctx.res.writeEarlyHints(Object.fromEntries(fields))
    }
    const now = Date.now()
    const place = { now, path: ctx.url }
    const fields = fieldsOf(step, place)
    const last = run.steps[number - 2]
    const before = run.visits.findLast(visit => visit.step === number - 1)?.fields ?? (last && fieldsOf(last, place))
    const visit: Visit = { step: number, method: ctx.method, headers: ctx.headers, fields, before }
    run.visits.push(visit)
    visits.set(ctx, visit)
    ctx.set({
      'Server-Base-Url': ctx.url,
      'Server-Request-Count': String(run.visits.length),
      'Client-Request-Count': String(number),
      'Server-Now': String(now),
      'Request-Numbers': run.visits.map(visit => visit.step).join(' '),
    })
    if (step.disconnect) {
      ctx.respond = false
      ctx.res.destroy()
      return
    }
    if (isValidated(step)) return validate(ctx as never)
    const [status] = step.response_status ?? [200]
    return reply(status, EMPTY.has(status) ? undefined : bodyOf(ctx), Object.fromEntries(fields))
  })

  app.after(ctx => {
    const visit = visits.get(ctx)
    if (!visit || ctx.respond === false) return
    visit.answer = { status: ctx.status, headers: { ...ctx.res.getHeaders() }, body: ctx.body }
  })

  return { app, runs }
}
