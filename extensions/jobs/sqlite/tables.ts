import { type Added, type Claim, type Ending, type Job, NEW, type NewJob, type State } from '../engine.ts'
import type { Row } from './driver.ts'
import { columnOf, jobOf } from './row.ts'
import type { Statements } from './statements.ts'

/** What is asked of the tables and done to them, each at once. What changes them is called in a transaction. */
export class Tables {
  readonly #do: Statements

  constructor(statements: Statements) {
    this.#do = statements
  }

  add(given: NewJob): Added {
    const { keys, limit, priority, ...job } = given
    const { id, owner, fingerprint, due, request } = job
    const task = columnOf(job.task)
    for (const { text } of keys) {
      const row = this.#do.findKey.get(task, columnOf(text))
      if (row) return { job: jobOf(row), isNew: false }
    }
    if (this.waiting(job.task) >= limit) return 'full'
    const now = Date.now()
    const place = [priority, now] as const
    const row = this.#do.add.get(
      columnOf(id),
      task,
      columnOf(owner),
      columnOf(fingerprint),
      due,
      Number(due <= now),
      ...place,
    )
    const seq = Number(row?.seq)
    this.#do.addRequest.run(seq, columnOf(request))
    for (const { text, until } of keys) this.#do.addKey.run(task, columnOf(text), seq, until)
    return { job: { ...job, ...NEW, created: now }, isNew: true }
  }

  get(id: string): Job | undefined {
    return read(this.#do.get.get(columnOf(id)))
  }

  /** Some of somebody's that came before one, and the one to go on from; none where there are no more. */
  list(owner: string, before: number): { jobs: Job[]; last: number } | undefined {
    const rows = this.#do.list.all(columnOf(owner), before)
    return rows.length > 0 ? { jobs: rows.map(jobOf), last: Number(rows.at(-1)?.seq) } : undefined
  }

  claim(task: string, lease: number): Claim | undefined {
    const now = Date.now()
    const name = columnOf(task)
    this.#do.makeReady.run(name, now)
    const leased = this.#do.firstLeased.get(name)
    const first = leased && Number(leased.leased) <= now ? leased : this.#do.firstReady.get(name)
    if (!first) return undefined
    const seq = Number(first.seq)
    this.#do.begin.run(now, now + lease, seq)
    const job = jobOf(this.#do.begun.get(seq) as Row)
    return { job, token: String(job.attempts) }
  }

  due(task: string): number | undefined {
    const name = columnOf(task)
    const firsts = [this.#do.firstReady.get(name)?.due, this.#do.firstLater.get(name)?.due]
    const times = [...firsts, this.#do.firstLeased.get(name)?.leased].filter(it => it !== undefined)
    return times.length > 0 ? Math.min(...times.map(Number)) : undefined
  }

  waiting(task: string): number {
    return Number(this.#do.waiting.get(columnOf(task))?.count ?? 0)
  }

  renew(claim: Claim, lease: number): boolean {
    return this.#do.renew.run(Date.now() + lease, ...heldBy(claim)) > 0
  }

  progress(claim: Claim, progress: string): boolean {
    return this.#do.progress.run(columnOf(progress), ...heldBy(claim)) > 0
  }

  finish(claim: Claim, ending: Ending, result: string, keep: number): boolean {
    return this.#do.finish.run(ending, columnOf(result), ...untilAfter(keep), ...heldBy(claim)) > 0
  }

  /** Has it done again, as so many failures more. */
  again(claim: Claim, due: number, failures: 0 | 1): boolean {
    return this.#do.again.run(due, Number(due <= Date.now()), failures, ...heldBy(claim)) > 0
  }

  cancel(id: string, keep: number): State | undefined {
    const state = this.#do.stateOf.get(columnOf(id))?.state as State | undefined
    this.#do.cancel.run(...untilAfter(keep), columnOf(id))
    return state
  }

  expire(id: string): void {
    this.#do.expire.run(columnOf(id))
  }

  /** Is there anything to sweep? */
  isOver(): boolean {
    const now = Date.now()
    return Number(this.#do.isOver.get(now, now)?.yes) === 1
  }

  sweep(): void {
    const now = Date.now()
    this.#do.remove.run(now)
    this.#do.expireAll.run(now)
  }
}

function read(row: Row | undefined): Job | undefined {
  return row && jobOf(row)
}

/** A token is the number of the attempt, which rises with each claim and never falls. */
function heldBy({ job, token }: Claim) {
  return [columnOf(job.id), Number(token)] as const
}

/** When it ends, when it expires, and when nothing is left of it. */
function untilAfter(keep: number) {
  const now = Date.now()
  return [now, now + keep, now + 2 * keep] as const
}
