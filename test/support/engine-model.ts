import { setTimeout as sleep } from 'node:timers/promises'
import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Claim, Engine, Job, NewJob, State } from '../../dist/extensions/jobs/engine.js'
import { newJob } from './new-job.js'

const HOUR = 3_600_000
/** When jobs of the model are due, so that an order is known: three times that are past, and one that is far. */
const PAST = Date.now() - 10_000
const DUES = [PAST, PAST + 1000, PAST + 2000, PAST + 100 * HOUR]

interface Modelled {
  readonly given: NewJob
  /** As the engine last gave it. */
  job: Job
  /** Where it came, and whether its place among those that are due at the same time is known. */
  readonly order: number
  wasGivenBack: boolean
  /** Of whoever took it up last. */
  claim: Claim | undefined
  isLapsed: boolean
  keep: number
}

const index = fc.nat(30)
const task = fc.constantFrom('a', 'b')
const keep = fc.constantFrom(0, HOUR)
const add = fc.record({
  kind: fc.constant('add' as const),
  task,
  owner: fc.constantFrom('one', 'other', undefined),
  priority: fc.constantFrom(0, 0, 1, 9),
  due: fc.constantFrom(...DUES),
  limit: fc.constantFrom(3, 100),
  keys: fc.uniqueArray(
    fc.record({ text: fc.constantFrom('k', 'l', 'm'), until: fc.constantFrom('ended' as const, 'expired' as const) }),
    { maxLength: 2, selector: ({ text }) => text },
  ),
})
const command = fc.oneof(
  { weight: 6, arbitrary: add },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('claim' as const), task }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('progress' as const), index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      index,
      ending: fc.constantFrom('succeeded' as const, 'failed' as const),
      keep,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const), index, due: fc.constantFrom(...DUES) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const), index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lapse' as const), index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), index, keep }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** Does an engine what a plain map does, for random sequences of commands? Fails with the shortest that tells them apart. */
export async function followsModel(
  engine: Engine,
  { runs, order, lapses }: { runs: number; order: 'due' | 'any'; lapses: boolean },
): Promise<void> {
  let run = 0
  const property = fc.asyncProperty(fc.array(command, { maxLength: 40, size: 'max' }), async commands => {
    // All runs are in one engine, and each has tasks and owners of its own.
    run += 1
    const model = new Model(engine, `model ${run} `, { order, lapses })
    for (const [at, command] of commands.entries()) {
      await model.run(command)
      if (at % 5 === 4) await model.compare()
    }
    await model.compare()
    await model.end()
  })
  await fc.assert(property, { numRuns: runs, includeErrorInReport: true, interruptAfterTimeLimit: 90_000 })
}

class Model {
  readonly #engine: Engine
  readonly #prefix: string
  readonly #all: Modelled[] = []
  /** Those that are gone, or may be: they were swept. */
  readonly #swept = new Set<Modelled>()

  readonly #order: 'due' | 'any'
  /** Is a lease ever over? */
  readonly #lapses: boolean

  constructor(engine: Engine, prefix: string, { order, lapses }: { order: 'due' | 'any'; lapses: boolean }) {
    this.#engine = engine
    this.#prefix = prefix
    this.#order = order
    this.#lapses = lapses
  }

  async run(command: Command): Promise<void> {
    if (command.kind === 'add') return this.#add(command)
    if (command.kind === 'claim') return this.#claim(this.#prefix + command.task)
    if (command.kind === 'sweep') return this.#sweep()
    const all = this.#all.filter(it => !this.#swept.has(it))
    if (command.kind === 'cancel' || command.kind === 'expire') {
      const it = all[command.index % all.length]
      if (!it) return
      return command.kind === 'cancel' ? this.#cancel(it, command.keep) : this.#expire(it)
    }
    // Of those that somebody has or had; most often of those that run.
    const taken = all.filter(({ claim }) => claim)
    const running = taken.filter(({ job }) => job.state === 'running')
    const some = command.index % 5 > 0 && running.length > 0 ? running : taken
    const it = some[command.index % some.length]
    if (it?.claim) return this.#hold(it, it.claim, command)
  }

  /** Everything that the engine says without being changed. */
  async compare(): Promise<void> {
    for (const it of this.#all) {
      const job = await this.#engine.get(it.job.id)
      if (this.#swept.has(it)) same('a job that was swept', [undefined, 'expired'].includes(job?.state), true)
      else same('get', job, it.job)
    }
    for (const name of ['a', 'b']) {
      const task = this.#prefix + name
      const waiting = this.#of(task).filter(isQueued)
      // One whose lease is over may count as waiting.
      const lapsed = this.#of(task).filter(it => it.isLapsed).length
      const over = (await this.#engine.waiting(task)) - waiting.length
      same('waiting', over >= 0 && over <= lapsed ? 'right' : over, 'right')
      const isDue = this.#of(task).some(it => it.isLapsed || (isQueued(it) && it.job.due <= Date.now()))
      const due = await this.#engine.due(task)
      if (isDue) same('due', due !== undefined && due <= Date.now(), true)
      else if (waiting.length > 0) {
        // Leases are shorter than what is far.
        const isHeld = this.#lapses && this.#of(task).some(({ job }) => job.state === 'running')
        if (isHeld) same('due', due !== undefined && due > PAST + 5000 && due <= Date.now() + HOUR + 60_000, true)
        else same('due', due, Math.min(...waiting.map(({ job }) => job.due)))
      }
    }
    for (const name of ['one', 'other']) {
      const owner = this.#prefix + name
      const ids: string[] = []
      for await (const { id } of this.#engine.list(owner)) ids.push(id)
      const its = this.#all.filter(it => it.job.owner === owner && it.job.state !== 'expired' && !this.#swept.has(it))
      same('list', ids, its.map(({ job }) => job.id).toReversed())
    }
  }

  /** So that the next run finds no jobs in its way when it sweeps. */
  async end(): Promise<void> {
    for (const { job } of this.#all) await this.#engine.cancel(job.id, 0)
    await this.#engine.sweep()
  }

  async #add({ kind, ...fields }: Command & { kind: 'add' }): Promise<void> {
    const { owner } = fields
    const task = this.#prefix + fields.task
    const given = newJob({ ...fields, task, owner: owner && this.#prefix + owner, request: `${this.#all.length}` })
    const added = await this.#engine.add(given)
    const others = given.keys.flatMap(({ text }) => this.#holder(task, text) ?? [])
    if (others.length > 0) {
      same('add with a key', added !== 'full' && !added.isNew, true)
      const found = (added as { job: Job }).job
      return same(
        'add',
        others.some(({ job }) => isSame(job, found)),
        true,
      )
    }
    const waiting = this.#of(task).filter(isQueued).length
    const isLapsed = this.#of(task).some(it => it.isLapsed)
    if (waiting >= given.limit || (isLapsed && added === 'full')) return same('add over the limit', added, 'full')
    const { job, isNew } = added as { job: Job; isNew: boolean }
    same('add', isNew, true)
    const { priority, keys, limit, ...rest } = given
    const NEW = { state: 'queued', version: 1, attempts: 0, failures: 0 } as const
    const NONE = { progress: undefined, result: undefined, started: undefined, finished: undefined }
    same('add', job, { ...rest, ...NEW, ...NONE, created: job.created })
    const order = this.#all.length
    this.#all.push({ given, job, order, wasGivenBack: false, claim: undefined, isLapsed: false, keep: 0 })
  }

  #holder(task: string, text: string): Modelled | undefined {
    return this.#of(task).find(({ given, job }) =>
      given.keys.some(
        key => key.text === text && (isOpen(job.state) || (key.until === 'expired' && job.state !== 'expired')),
      ),
    )
  }

  async #claim(task: string): Promise<void> {
    const claim = await this.#engine.claim(task, HOUR)
    const lapsed = this.#of(task).filter(it => it.isLapsed)
    const ready = this.#of(task).filter(it => isQueued(it) && it.job.due <= Date.now())
    const allowed = [...lapsed, ...firstOf(ready, this.#order)]
    if (!claim)
      return same(
        'claim',
        allowed.map(({ job }) => job.id),
        [],
      )
    const it = allowed.find(({ job }) => job.id === claim.job.id)
    if (!it) throw new Error(`claim gave ${claim.job.request}, and not one of ${allowed.map(({ job }) => job.request)}`)
    const { attempts, failures } = it.job
    const now = { state: 'running', attempts: attempts + 1, failures: failures + Number(it.isLapsed) } as const
    this.#changed(it, claim.job, { ...now, started: claim.job.started as number })
    same('started', claim.job.started !== undefined && claim.job.started <= Date.now() + 1, true)
    it.claim = claim
    it.isLapsed = false
  }

  async #hold(it: Modelled, claim: Claim, command: Command): Promise<void> {
    const engine = this.#engine
    const isHeld = it.job.state === 'running' && it.claim === claim
    const before = it.job
    /** Whose lease is over has the job still or has lost it: the engine tells. */
    const answers = (is: boolean) => {
      if (!it.isLapsed) same(command.kind, is, isHeld)
      return is
    }
    const now = () => engine.get(it.job.id) as Promise<Job>
    if (command.kind === 'renew') {
      if (answers((await engine.renew(claim, HOUR)) === 'held') && isHeld) it.isLapsed = false
    }
    if (command.kind === 'lapse') {
      if (isHeld && (await engine.renew(claim, 1)) === 'held') it.isLapsed = this.#lapses
      await sleep(4)
    }
    if (command.kind === 'progress') {
      const progress = `${before.version}`
      if (answers(await engine.progress(claim, progress))) this.#changed(it, await now(), { progress })
    }
    if (command.kind === 'retry') {
      const { due } = command
      if (!answers(await engine.retry(claim, due))) return
      this.#changed(it, await now(), { state: 'queued', due, failures: before.failures + 1 })
      it.wasGivenBack = true
      it.isLapsed = false
    }
    if (command.kind === 'release') {
      if (!answers(await engine.release(claim))) return
      const job = await now()
      same('due after release', job.due <= Date.now() && job.due > PAST + 5000, true)
      this.#changed(it, job, { state: 'queued', due: job.due })
      it.wasGivenBack = true
      it.isLapsed = false
    }
    if (command.kind === 'finish') {
      const { ending, keep } = command
      const result = `${ending} ${before.version}`
      if (!answers(await engine.finish(claim, ending, result, keep))) return
      this.#ended(it, await now(), { state: ending, result }, keep)
    }
  }

  async #cancel(it: Modelled, keep: number): Promise<void> {
    const { state, id } = it.job
    same('cancel', await this.#engine.cancel(id, keep), state)
    const job = (await this.#engine.get(id)) as Job
    if (isOpen(state)) this.#ended(it, job, { state: 'cancelled' }, keep)
  }

  async #expire(it: Modelled): Promise<void> {
    const { state, id } = it.job
    await this.#engine.expire(id)
    if (isOpen(state) || state === 'expired') return
    const job = (await this.#engine.get(id)) as Job
    this.#changed(it, job, { state: 'expired', request: '', result: undefined, progress: job.progress })
  }

  async #sweep(): Promise<void> {
    // What is kept for no time at all is kept for a millisecond at most.
    await sleep(2)
    await this.#engine.sweep()
    for (const it of this.#all) {
      if (isOpen(it.job.state) || it.keep > 0) continue
      this.#swept.add(it)
      it.job = { ...it.job, state: 'expired' }
    }
  }

  #ended(it: Modelled, job: Job, news: Partial<Job>, keep: number): void {
    same('finished', job.finished !== undefined && job.finished <= Date.now() + 1, true)
    this.#changed(it, job, { ...news, request: '', finished: job.finished as number })
    it.isLapsed = false
    it.keep = keep
  }

  /** The job is as it was, but for this, and its version has risen. */
  #changed(it: Modelled, job: Job, news: Partial<Job>): void {
    same('version', job.version > it.job.version, true)
    same('what changes', job, { ...it.job, ...news, version: job.version })
    it.job = job
  }

  #of(task: string): Modelled[] {
    return this.#all.filter(it => it.given.task === task && !this.#swept.has(it))
  }
}

const isOpen = (state: State) => state === 'queued' || state === 'running'
const isQueued = ({ job }: Modelled) => job.state === 'queued'

/** Which of those that are due may come first: of some that were given back at one time any may. */
function firstOf(ready: Modelled[], order: 'due' | 'any'): Modelled[] {
  const priority = Math.max(...ready.map(({ given }) => given.priority))
  const highest = ready.filter(({ given }) => given.priority === priority)
  if (order === 'any') return highest
  const due = Math.min(...highest.map(({ job }) => job.due))
  const first = highest.filter(({ job }) => job.due === due).toSorted((one, other) => one.order - other.order)
  return first.some(({ wasGivenBack }) => wasGivenBack) ? first : first.slice(0, 1)
}

function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other)
}

function same(what: string, actual: unknown, expected: unknown): void {
  if (!isSame(actual, expected)) throw new Error(`${what}: ${inspect(actual)} is not ${inspect(expected)}`)
}
