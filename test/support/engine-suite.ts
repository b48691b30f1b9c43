import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Claim, Engine, Job, NewJob, State } from '../../dist/extensions/jobs/engine.js'
import { followsModel } from './engine-model.js'
import { newJob } from './new-job.js'

/** Where jobs are, empty at first. */
export interface Store {
  /** Another engine over it, which the suite opens and closes. */
  engine(): Engine
  /** Clears it away, when its engines are closed. */
  remove?(): unknown
}

export interface Conformance {
  /** Makes a store that nobody else uses: a new file, a new prefix. */
  store(): Store | Promise<Store>
  /** Do several engines over a store see the same jobs? Do they outlive an engine? If not, no lease is ever over. */
  isShared: boolean
  /** Why it cannot run here. It is skipped with this reason, or fails where `KOLBA_REQUIRE` names `needs`. */
  skip?: string | undefined
  needs?: string
  /** By how much it is slower than a store in this process: leases and waits are multiplied by it. @default 1 */
  pace?: number
  /** In what order those of one priority begin: as they were due, or as the store has it. @default 'due' */
  order?: 'due' | 'any'
  /** How many sequences of commands are compared with the model. @default 50 */
  runs?: number
}

const TASK = 'POST /reports'
const DAY = 86_400_000
/** Until what has to happen has happened, in milliseconds: a busy machine is slow. */
const PATIENCE = 40_000

type Use = (t: ExecutionContext, engine: Engine, another: () => Promise<Engine>) => Promise<unknown>

/** Registers the tests that every engine of jobs has to pass. */
export function conformance(name: string, options: Conformance): void {
  const { isShared, pace = 1, skip, needs = name, order = 'due' } = options
  if (skip && process.env.KOLBA_REQUIRE?.includes(needs)) return test(`${name} is an engine`, t => t.fail(skip))
  if (skip) return test.skip(`${name} is an engine (skipped: ${skip})`, t => t.pass())

  function check(title: string, use: Use): void {
    test.serial(`${name}: ${title}`, async t => {
      t.timeout(120_000)
      await inStore(options, another => another().then(engine => use(t, engine, another)))
    })
  }

  /** One of a lease that is over. */
  const checkLapsed = isShared ? check : () => {}

  const addTo = async (engine: Engine, fields: Partial<NewJob> = {}): Promise<Job> => {
    const added = await engine.add(newJob(fields))
    if (added === 'full') throw new Error('The engine says that it is full.')
    return added.job
  }
  const claimOf = async (engine: Engine, lease = DAY, task = TASK): Promise<Claim> => {
    const claim = await engine.claim(task, lease)
    if (!claim) throw new Error('There is no job to claim.')
    return claim
  }
  const running = async (engine: Engine, fields: Partial<NewJob> = {}, lease = DAY): Promise<Claim> => {
    const { id, task } = await addTo(engine, fields)
    const claim = await claimOf(engine, lease, task)
    if (claim.job.id !== id) throw new Error('The engine gave another job.')
    return claim
  }
  const jobOf = async (engine: Engine, id: string): Promise<Job> => {
    const job = await engine.get(id)
    if (!job) throw new Error(`The engine has no job ${id}.`)
    return job
  }
  const stateOf = async (engine: Engine, id: string): Promise<State | undefined> => (await engine.get(id))?.state
  const idsOf = async (engine: Engine, owner: string): Promise<string[]> => {
    const ids: string[] = []
    for await (const { id } of engine.list(owner)) ids.push(id)
    return ids
  }
  /** A claim whose lease is over, and that of whoever has the job now. */
  const lapsed = async (engine: Engine): Promise<[Claim, Claim]> => {
    const first = await running(engine, {}, 100 * pace)
    return [first, await until(() => engine.claim(TASK, DAY))]
  }

  check('says its name and whether jobs outlive the process', async (t, engine) => {
    t.regex(engine.name, /^[a-z]+$/)
    t.is(engine.isLasting, isShared)
  })

  check('get() gives what add() kept', async (t, engine) => {
    const before = Date.now()
    const fields = {
      task: 'PUT /büros/:id',
      owner: 'Ærøskøbing 🌊',
      request: JSON.stringify({ text: 'ü€😀"\\\n', long: 'ab'.repeat(300_000) }),
      fingerprint: 'sha-256:Zm9v',
      due: before - 5000,
      priority: 3,
      keys: [{ text: 'key "1"', until: 'ended' as const }],
    }
    const given = newJob(fields)
    const added = await engine.add(given)
    const after = Date.now()
    if (added === 'full') return t.fail()
    const { priority, keys, limit, ...same } = given
    const { created, ...rest } = added.job
    t.true(added.isNew)
    t.true(created >= before - 1 && created <= after + 1)
    t.deepEqual(rest, {
      ...same,
      state: 'queued',
      version: 1,
      progress: undefined,
      result: undefined,
      attempts: 0,
      failures: 0,
      started: undefined,
      finished: undefined,
    })
    t.deepEqual(await engine.get(given.id), added.job)
  })

  check('get() gives undefined for an id that nobody has', async (t, engine) => {
    t.is(await engine.get('nobody'), undefined)
    t.is(await engine.cancel('nobody', DAY), undefined)
    await engine.expire('nobody')
  })

  check('a job may be of nobody, and its texts may be empty', async (t, engine) => {
    const { id } = await addTo(engine, { request: '', fingerprint: '' })
    const job = await jobOf(engine, id)
    t.is(job.owner, undefined)
    t.deepEqual([job.request, job.fingerprint], ['', ''])
    const claim = await claimOf(engine)
    await engine.progress(claim, '')
    t.is((await jobOf(engine, id)).progress, '')
    await engine.finish(claim, 'succeeded', '', DAY)
    t.is((await jobOf(engine, id)).result, '')
  })

  check('texts are kept to the last character, those that few databases like among them', async (t, engine) => {
    const odd = ['a\u0000b', 'a\ud800b', '\u0001\uffff', ' a ', "'; drop table x --", '%_*?[]{}:', 'é', 'e\u0301']
    for (const text of odd) {
      const task = `T${text}`
      const keys = [{ text, until: 'ended' as const }]
      const { id } = await addTo(engine, { task, owner: text, request: text, fingerprint: text, keys })
      const claim = await claimOf(engine, DAY, task)
      t.is(claim.job.id, id, JSON.stringify(text))
      await engine.progress(claim, text)
      await engine.finish(claim, 'failed', text, DAY)
      const job = await jobOf(engine, id)
      const got = [job.task, job.owner, claim.job.request, job.fingerprint, job.progress, job.result]
      t.deepEqual(got, [task, text, text, text, text, text], JSON.stringify(text))
      t.deepEqual(await idsOf(engine, text), [id], JSON.stringify(text))
    }
    // What is cut off at a zero character is somebody else.
    t.deepEqual(await idsOf(engine, 'a'), [])
    t.is(await engine.claim('Ta', DAY), undefined)
  })

  check('a key that lasts until a job has ended gives the job that has it, and is free then', async (t, engine) => {
    const keys = [{ text: 'k', until: 'ended' as const }]
    const first = await addTo(engine, { keys, request: 'first' })
    t.deepEqual(await engine.add(newJob({ keys, request: 'second' })), { job: first, isNew: false })
    t.is(await engine.waiting(TASK), 1)
    const claim = await claimOf(engine)
    const again = await engine.add(newJob({ keys }))
    t.deepEqual(again, { job: claim.job, isNew: false })
    await engine.finish(claim, 'succeeded', '1', DAY)
    const next = newJob({ keys })
    t.like(await engine.add(next), { isNew: true, job: { id: next.id } })
    await engine.cancel(next.id, DAY)
    t.like(await engine.add(newJob({ keys })), { isNew: true })
  })

  check('a key stays with a job that is given back or tried again', async (t, engine) => {
    const keys = [{ text: 'k', until: 'ended' as const }]
    const first = await running(engine, { keys })
    const { id } = first.job
    await engine.release(first)
    t.like(await engine.add(newJob({ keys })), { isNew: false, job: { id, state: 'queued' } })
    await engine.retry(await claimOf(engine), Date.now() + DAY)
    t.like(await engine.add(newJob({ keys })), { isNew: false, job: { id, state: 'queued' } })
  })

  check('a key that lasts until a job expires is free when it has', async (t, engine) => {
    const keys = [{ text: 'k', until: 'expired' as const }]
    const claim = await running(engine, { keys })
    await engine.finish(claim, 'failed', '{}', DAY)
    const same = await engine.add(newJob({ keys }))
    t.like(same, { isNew: false, job: { id: claim.job.id, state: 'failed' } })
    await engine.expire(claim.job.id)
    t.like(await engine.add(newJob({ keys })), { isNew: true })
  })

  check('a job is found by each of its keys, and each ends in its own time', async (t, engine) => {
    const keys = [
      { text: 'one', until: 'ended' as const },
      { text: 'two', until: 'expired' as const },
    ]
    const claim = await running(engine, { keys })
    const { id } = claim.job
    const by = async (text: string) => {
      const added = await engine.add(newJob({ keys: [{ text, until: 'ended' }] }))
      return added === 'full' ? added : added.job.id
    }
    t.deepEqual([await by('one'), await by('two')], [id, id])
    await engine.finish(claim, 'succeeded', '1', DAY)
    t.is(await by('two'), id)
    t.not(await by('one'), id)
    await engine.expire(id)
    t.not(await by('two'), id)
  })

  check('the same key in another task is another key', async (t, engine) => {
    const keys = [{ text: 'k', until: 'expired' as const }]
    await addTo(engine, { keys, task: 'a' })
    t.like(await engine.add(newJob({ keys, task: 'b' })), { isNew: true })
    // Nor is there a way to write a task and a key that reads as another pair.
    t.like(await engine.add(newJob({ keys: [{ text: ':k', until: 'ended' }], task: 'a' })), { isNew: true })
    t.like(await engine.add(newJob({ keys: [{ text: 'k', until: 'ended' }], task: 'a:' })), { isNew: true })
  })

  check('20 that come at once with one key are one job', async (t, engine) => {
    const keys = [{ text: 'k', until: 'ended' as const }]
    const all = await Promise.all(Array.from({ length: 20 }, () => engine.add(newJob({ keys }))))
    t.is(all.filter(it => it !== 'full' && it.isNew).length, 1)
    t.is(new Set(all.map(it => it !== 'full' && it.job.id)).size, 1)
    t.is(await engine.waiting(TASK), 1)
  })

  check('add() says that it is full when as many wait as the limit, delayed ones among them', async (t, engine) => {
    await addTo(engine, { limit: 2 })
    await addTo(engine, { limit: 2, due: Date.now() + DAY })
    const refused = newJob({ limit: 2 })
    t.is(await engine.add(refused), 'full')
    t.is(await engine.get(refused.id), undefined)
    t.is(await engine.waiting(TASK), 2)
    // What is running does not wait, and another task has a limit of its own.
    const claim = await claimOf(engine)
    t.like(await engine.add(newJob({ limit: 2 })), { isNew: true })
    t.like(await engine.add(newJob({ limit: 2, task: 'other' })), { isNew: true })
    t.is(await engine.add(newJob({ limit: 2 })), 'full')
    // One that is given back waits again.
    await engine.release(claim)
    t.is(await engine.add(newJob({ limit: 3 })), 'full')
    await engine.cancel(claim.job.id, DAY)
    t.like(await engine.add(newJob({ limit: 3 })), { isNew: true })
  })

  check('a key is found where no other job would be taken', async (t, engine) => {
    const keys = [{ text: 'k', until: 'ended' as const }]
    const { id } = await addTo(engine, { keys, limit: 1 })
    t.like(await engine.add(newJob({ keys, limit: 1 })), { isNew: false, job: { id } })
  })

  check('20 that come at once fill a limit of 5 with 5', async (t, engine) => {
    const all = await Promise.all(Array.from({ length: 20 }, () => engine.add(newJob({ limit: 5 }))))
    t.is(all.filter(it => it === 'full').length, 15)
    t.is(await engine.waiting(TASK), 5)
  })

  check(
    `claim() gives what has the larger number first${order === 'due' ? ', then what was due first, then what came first' : ''}`,
    async (t, engine) => {
      const now = Date.now()
      const ranks = [
        [0, 1000],
        [5, 1000],
        [0, 1000],
        [1, 1000],
        [0, 3000],
        [5, 2000],
        [1, 1000],
        [0, 2000],
      ] as const
      const jobs: (Job & { priority: number })[] = []
      for (const [priority, ago] of ranks)
        jobs.push({ ...(await addTo(engine, { priority, due: now - ago })), priority })
      const expected = jobs.toSorted((one, other) => other.priority - one.priority || one.due - other.due)
      const got: string[] = []
      for (const _ of jobs) got.push((await claimOf(engine)).job.id)
      const rank = (id: string) => (order === 'due' ? id : jobs.find(it => it.id === id)?.priority)
      t.deepEqual(
        got.map(rank),
        expected.map(({ id }) => rank(id)),
      )
    },
  )

  check('claim() gives no job before it is due, and then it does', async (t, engine) => {
    const due = Date.now() + 400 * pace
    const late = await addTo(engine, { due, priority: 9 })
    const now = await addTo(engine)
    t.is((await claimOf(engine)).job.id, now.id)
    t.is((await until(() => engine.claim(TASK, DAY))).job.id, late.id)
    t.true(Date.now() >= due - 1)
    t.is((await jobOf(engine, late.id)).due, due)
  })

  check('what has become due takes its place among the others', async (t, engine) => {
    const high = await addTo(engine, { due: Date.now() + 200 * pace, priority: 1 })
    const low = await addTo(engine)
    await until(async () => Date.now() > high.due + 50)
    t.deepEqual([(await claimOf(engine)).job.id, (await claimOf(engine)).job.id], [high.id, low.id])
  })

  check('claim() gives the jobs of its task alone', async (t, engine) => {
    const { id } = await addTo(engine, { task: 'a' })
    t.is(await engine.claim('b', DAY), undefined)
    t.is(await engine.claim('A', DAY), undefined)
    t.is((await claimOf(engine, DAY, 'a')).job.id, id)
    t.is(await engine.claim('a', DAY), undefined)
  })

  check('due() says when the next could be claimed, waiting() how many wait', async (t, engine) => {
    t.is(await engine.due(TASK), undefined)
    t.is(await engine.waiting(TASK), 0)
    const now = Date.now()
    const later = await addTo(engine, { due: now + 2 * DAY, priority: 7 })
    const sooner = await addTo(engine, { due: now + DAY })
    t.is(await engine.due(TASK), sooner.due)
    t.is(await engine.waiting(TASK), 2)
    await engine.cancel(sooner.id, DAY)
    t.is(await engine.due(TASK), later.due)
    await addTo(engine, { due: now - 1000 })
    t.true(Number(await engine.due(TASK)) <= Date.now())
    t.is(await engine.waiting(TASK), 2)
    t.is(await engine.due('other'), undefined)
    t.is(await engine.waiting('other'), 0)
  })

  checkLapsed('due() counts a lease: when it is over, the job could be claimed', async (t, engine) => {
    const claim = await running(engine, {}, 60_000)
    const due = Number(await engine.due(TASK))
    t.true(due >= Number(claim.job.started) + 59_000)
    t.true(due <= Date.now() + 70_000)
    t.is(await engine.waiting(TASK), 0)
    await engine.finish(claim, 'succeeded', '1', DAY)
    t.is(await engine.due(TASK), undefined)
  })

  check('claim() gives each of 200 jobs to one of 20 that ask at once', async (t, engine) => {
    const ids = await Promise.all(Array.from({ length: 200 }, () => addTo(engine).then(({ id }) => id)))
    const got: string[] = []
    const work = async () => {
      for (let claim = await engine.claim(TASK, DAY); claim; claim = await engine.claim(TASK, DAY)) {
        got.push(claim.job.id)
        if (!(await engine.finish(claim, 'succeeded', '1', DAY))) t.fail('A job was lost that nobody else could have.')
      }
    }
    await Promise.all(Array.from({ length: 20 }, work))
    t.deepEqual(got.toSorted(), ids.toSorted())
    t.is(await engine.waiting(TASK), 0)
  })

  check('claim() begins a job', async (t, engine) => {
    const before = Date.now()
    const { job } = await running(engine)
    const { started, ...rest } = job
    t.like(rest, { state: 'running', attempts: 1, failures: 0, finished: undefined })
    t.true(Number(started) >= before - 1 && Number(started) <= Date.now() + 1)
    t.deepEqual(await engine.get(job.id), job)
  })

  checkLapsed('a job whose lease is over is given to the next, as one failure more', async (t, engine) => {
    const before = Date.now()
    const [first, second] = await lapsed(engine)
    t.true(Date.now() - before >= 100 * pace - 1)
    t.is(second.job.id, first.job.id)
    t.not(second.token, first.token)
    t.like(second.job, { state: 'running', attempts: 2, failures: 1 })
    t.true(second.job.version > first.job.version)
    t.true(Number(second.job.started) >= Number(first.job.started) + 100 * pace - 1)
  })

  checkLapsed('whoever comes with an older token has lost the job, whatever it says', async (t, engine) => {
    const [old, now] = await lapsed(engine)
    const before = await engine.get(now.job.id)
    t.is(await engine.renew(old, DAY), 'lost')
    t.false(await engine.progress(old, '1'))
    t.false(await engine.finish(old, 'succeeded', '1', DAY))
    t.false(await engine.retry(old, Date.now()))
    t.false(await engine.release(old))
    t.deepEqual(await engine.get(now.job.id), before)
    t.is(await engine.renew(now, DAY), 'held')
    t.true(await engine.finish(now, 'succeeded', '2', DAY))
    t.is((await jobOf(engine, now.job.id)).result, '2')
    // Nor does it come back when the job has ended, or for a job that was never.
    t.is(await engine.renew(now, DAY), 'lost')
    t.false(await engine.finish({ ...now, job: { ...now.job, id: 'nobody' } }, 'succeeded', '1', DAY))
  })

  if (!isShared)
    check('a job that runs is given to nobody, however short its lease', async (t, engine) => {
      const claim = await running(engine, {}, 1)
      await sleep(5)
      t.is(await engine.due(TASK), undefined)
      t.is(await engine.claim(TASK, DAY), undefined)
      t.is(await engine.renew(claim, 1), 'held')
      await sleep(5)
      t.is(await engine.claim(TASK, DAY), undefined)
      t.true(await engine.finish(claim, 'succeeded', '1', DAY))
    })

  check('a token is of one taking up, not of the job', async (t, engine) => {
    const first = await running(engine)
    await engine.release(first)
    t.false(await engine.finish(first, 'succeeded', '1', DAY))
    t.is(await engine.renew(first, DAY), 'lost')
    const second = await claimOf(engine)
    t.not(second.token, first.token)
    t.false(await engine.progress(first, '1'))
    await engine.retry(second, Date.now())
    t.false(await engine.release(second))
    const third = await claimOf(engine)
    t.false(await engine.retry(first, Date.now()))
    t.is(await engine.renew(second, DAY), 'lost')
    t.true(await engine.finish(third, 'succeeded', '3', DAY))
  })

  check('renew() holds a job past its lease, and changes nothing that is seen', async (t, engine) => {
    const claim = await running(engine, {}, 500 * pace)
    t.is(await engine.renew(claim, 60_000 * pace), 'held')
    await sleep(700 * pace)
    t.is(await engine.claim(TASK, DAY), undefined)
    t.deepEqual(await engine.get(claim.job.id), claim.job)
    t.true(await engine.finish(claim, 'succeeded', '1', DAY))
  })

  checkLapsed('renew() may make a lease shorter', async (t, engine) => {
    const claim = await running(engine)
    t.is(await engine.renew(claim, 50 * pace), 'held')
    const next = await until(() => engine.claim(TASK, DAY))
    t.like(next.job, { id: claim.job.id, attempts: 2, failures: 1 })
  })

  check('progress() says how far it is, and the version rises', async (t, engine) => {
    const claim = await running(engine)
    t.true(await engine.progress(claim, '{"done":1}'))
    const one = await jobOf(engine, claim.job.id)
    t.true(await engine.progress(claim, '{"done":2}'))
    const two = await jobOf(engine, claim.job.id)
    t.deepEqual([one.progress, two.progress], ['{"done":1}', '{"done":2}'])
    t.true(claim.job.version < one.version && one.version < two.version)
    t.is(two.state, 'running')
  })

  for (const ending of ['succeeded', 'failed'] as const) {
    check(`finish() ends a job as ${ending}, for good`, async (t, engine) => {
      const claim = await running(engine)
      const before = Date.now()
      t.true(await engine.finish(claim, ending, '{"a":1}', DAY))
      const job = await jobOf(engine, claim.job.id)
      t.like(job, { state: ending, result: '{"a":1}', attempts: 1, failures: 0, request: '' })
      t.true(Number(job.finished) >= before - 1 && Number(job.finished) <= Date.now() + 1)
      t.true(job.version > claim.job.version)
      t.false(await engine.finish(claim, 'succeeded', '2', DAY))
      t.false(await engine.progress(claim, '2'))
      t.false(await engine.retry(claim, Date.now()))
      t.false(await engine.release(claim))
      t.is(await engine.renew(claim, DAY), 'lost')
      t.is(await engine.cancel(job.id, DAY), ending)
      t.is(await engine.claim(TASK, DAY), undefined)
      t.deepEqual(await engine.get(job.id), job)
    })
  }

  check('retry() has it done again, as one failure more, when it is due', async (t, engine) => {
    const claim = await running(engine)
    const due = Date.now() + 300 * pace
    t.true(await engine.retry(claim, due))
    const job = await jobOf(engine, claim.job.id)
    t.like(job, { state: 'queued', due, attempts: 1, failures: 1, finished: undefined })
    t.true(job.version > claim.job.version)
    t.is(await engine.due(TASK), due)
    t.is(await engine.waiting(TASK), 1)
    const next = await until(() => engine.claim(TASK, DAY))
    t.true(Date.now() >= due - 1)
    t.like(next.job, { id: job.id, attempts: 2, failures: 1 })
    t.true(await engine.retry(next, Date.now()))
    t.like((await claimOf(engine)).job, { attempts: 3, failures: 2 })
  })

  check('retry() keeps a job from the others until it is due, whatever its rank', async (t, engine) => {
    const claim = await running(engine, { priority: 9 })
    await engine.retry(claim, Date.now() + DAY)
    const other = await addTo(engine)
    t.is((await claimOf(engine)).job.id, other.id)
    t.is(await engine.claim(TASK, DAY), undefined)
  })

  check('release() hands a job back: it is due at once, and this was no failure', async (t, engine) => {
    const claim = await running(engine, { request: 'r' })
    t.true(await engine.release(claim))
    const job = await jobOf(engine, claim.job.id)
    t.like(job, { state: 'queued', attempts: 1, failures: 0, request: 'r' })
    t.true(job.version > claim.job.version)
    t.true(job.due <= Date.now() + 1)
    t.is(await engine.waiting(TASK), 1)
    t.like((await claimOf(engine)).job, { id: job.id, attempts: 2, failures: 0, request: 'r' })
  })

  check('a job that is given back keeps its rank', async (t, engine) => {
    const claim = await running(engine, { priority: 5 })
    await addTo(engine, { due: Date.now() - 5000 })
    await engine.release(claim)
    t.is((await claimOf(engine)).job.id, claim.job.id)
  })

  check('cancel() ends a job that waits', async (t, engine) => {
    const jobs = [await addTo(engine), await addTo(engine, { due: Date.now() + DAY })]
    for (const { id, version } of jobs) {
      t.is(await engine.cancel(id, DAY), 'queued')
      const job = await jobOf(engine, id)
      t.like(job, { state: 'cancelled', result: undefined, attempts: 0 })
      t.is(typeof job.finished, 'number')
      t.true(job.version > version)
    }
    t.is(await engine.claim(TASK, DAY), undefined)
    t.is(await engine.due(TASK), undefined)
    t.is(await engine.waiting(TASK), 0)
  })

  check('cancel() takes a job that runs from whoever has it', async (t, engine) => {
    const claim = await running(engine)
    t.is(await engine.cancel(claim.job.id, DAY), 'running')
    const job = await jobOf(engine, claim.job.id)
    t.is(job.state, 'cancelled')
    t.is(await engine.renew(claim, DAY), 'lost')
    t.false(await engine.progress(claim, '1'))
    t.false(await engine.finish(claim, 'succeeded', '1', DAY))
    t.false(await engine.retry(claim, Date.now()))
    t.false(await engine.release(claim))
    t.is(await engine.cancel(claim.job.id, DAY), 'cancelled')
    t.deepEqual(await engine.get(claim.job.id), job)
    t.is(await engine.due(TASK), undefined)
    t.is(await engine.waiting(TASK), 0)
  })

  check('finish() and cancel() at once, 100 times: one wins, and the state tells which', async (t, engine) => {
    const outcomes = new Set<string>()
    for (let round = 0; round < 100; round++) {
      const claim = await running(engine)
      const finish = () => engine.finish(claim, 'succeeded', '1', DAY)
      const cancel = () => engine.cancel(claim.job.id, DAY)
      const [isFinished, was] =
        round % 2 ? await Promise.all([finish(), cancel()]) : (await Promise.all([cancel(), finish()])).toReversed()
      const state = await stateOf(engine, claim.job.id)
      outcomes.add(`${isFinished} ${was} ${state}`)
    }
    for (const outcome of outcomes) t.regex(outcome, /^(?:true succeeded succeeded|false running cancelled)$/)
  })

  check('of a job that is told to finish 10 times at once one is heard', async (t, engine) => {
    const claim = await running(engine)
    const all = Array.from({ length: 10 }, (_, index) => engine.finish(claim, 'succeeded', String(index), DAY))
    const heard = (await Promise.all(all)).flatMap((isHeard, index) => (isHeard ? [String(index)] : []))
    t.deepEqual(heard, [String((await jobOf(engine, claim.job.id)).result)])
  })

  check('expire() makes an expired one of a job that has ended, and of no other', async (t, engine) => {
    const waiting = await addTo(engine, { due: Date.now() + DAY })
    await engine.expire(waiting.id)
    t.deepEqual(await engine.get(waiting.id), waiting)
    const claim = await running(engine, { owner: 'o', request: 'secret' })
    await engine.expire(claim.job.id)
    t.is(await stateOf(engine, claim.job.id), 'running')
    await engine.finish(claim, 'succeeded', 'secret', DAY)
    const ended = await jobOf(engine, claim.job.id)
    await engine.expire(claim.job.id)
    const expired = await jobOf(engine, claim.job.id)
    t.like(expired, { state: 'expired', request: '', result: undefined, finished: ended.finished, owner: 'o' })
    t.true(expired.version > ended.version)
    t.is(await engine.cancel(claim.job.id, DAY), 'expired')
    await engine.expire(claim.job.id)
    t.deepEqual(await engine.get(claim.job.id), expired)
  })

  check('sweep() makes expired ones of what was kept for long enough, and later leaves nothing', async (t, engine) => {
    const keep = 400 * pace
    const keys = [{ text: 'k', until: 'expired' as const }]
    const claim = await running(engine, { keys, request: 'secret' })
    await engine.finish(claim, 'succeeded', 'secret', keep)
    const cancelled = await addTo(engine)
    await engine.cancel(cancelled.id, keep)
    const stays = await running(engine)
    await engine.finish(stays, 'failed', '{}', DAY)
    const waits = await addTo(engine)
    const states = new Set<string>()
    const { finished = 0 } = await jobOf(engine, claim.job.id)
    await until(async () => {
      await engine.sweep()
      const job = await engine.get(claim.job.id)
      const now = Date.now()
      // A busy machine may look for the first time when that is over.
      if (now < finished + keep) t.is(job?.state, 'succeeded')
      if (job?.state === 'expired') t.like(job, { request: '', result: undefined })
      if (job?.state === 'expired') t.true(now >= finished + keep - 1)
      if (!job) t.true(now >= finished + 2 * keep - 1)
      states.add(job?.state ?? 'gone')
      await sleep(20)
      return !job
    })
    t.deepEqual(
      [...states].filter(it => it !== 'succeeded' && it !== 'expired'),
      ['gone'],
    )
    t.like(await engine.add(newJob({ keys, task: TASK, due: Date.now() + DAY })), { isNew: true })
    await until(async () => {
      await engine.sweep()
      return !(await engine.get(cancelled.id))
    })
    t.is(await stateOf(engine, stays.job.id), 'failed')
    t.is(await stateOf(engine, waits.id), 'queued')
  })

  check('sweep() leaves alone what runs and what waits, however long', async (t, engine) => {
    const claim = await running(engine)
    const waits = await addTo(engine, { due: Date.now() - 100 * DAY })
    await engine.sweep()
    t.deepEqual([await stateOf(engine, claim.job.id), await stateOf(engine, waits.id)], ['running', 'queued'])
    t.true(await engine.finish(claim, 'succeeded', '1', DAY))
  })

  check('list() gives the jobs of somebody, those that came last first, without the expired', async (t, engine) => {
    const mine: string[] = []
    for (let index = 0; index < 7; index++) {
      mine.push((await addTo(engine, { owner: 'me', priority: index % 3, task: `task ${index % 2}` })).id)
      await addTo(engine, { owner: index % 2 ? 'me:' : undefined })
    }
    t.deepEqual(await idsOf(engine, 'me'), mine.toReversed())
    t.deepEqual(await idsOf(engine, 'nobody'), [])
    t.deepEqual(await idsOf(engine, ''), [])
    const claim = await claimOf(engine, DAY, 'task 0')
    await engine.finish(claim, 'succeeded', '1', DAY)
    await engine.cancel(String(mine[1]), DAY)
    t.deepEqual(await idsOf(engine, 'me'), mine.toReversed())
    await engine.expire(String(mine[1]))
    await engine.expire(claim.job.id)
    const left = mine.filter(id => id !== mine[1] && id !== claim.job.id)
    t.deepEqual(await idsOf(engine, 'me'), left.toReversed())
    for await (const job of engine.list('me')) t.deepEqual(job, await engine.get(job.id))
  })

  check('list() gives all of 300, also while others come and go', async (t, engine) => {
    const ids: string[] = []
    for (let page = 0; page < 10; page++) {
      const jobs = Array.from({ length: 30 }, () => newJob({ owner: 'me' }))
      for (const job of jobs) await engine.add(job)
      ids.push(...jobs.map(({ id }) => id))
    }
    const seen: string[] = []
    for await (const { id } of engine.list('me')) {
      seen.push(id)
      if (seen.length % 50 === 0) await addTo(engine, { owner: 'me' })
      if (seen.length % 50 === 1) await engine.cancel(id, DAY)
    }
    t.deepEqual(
      seen.filter(id => ids.includes(id)),
      ids.toReversed(),
    )
    t.is(new Set(seen).size, seen.length)
    // Who has seen enough stops.
    for await (const _ of engine.list('me')) break
    t.pass()
  })

  check('the version is a whole number that rises with what happens', async (t, engine) => {
    const { id } = await addTo(engine)
    const versions: number[] = []
    const look = async () => versions.push((await jobOf(engine, id)).version)
    await look()
    const one = await claimOf(engine)
    await look()
    await engine.progress(one, '1')
    await look()
    await engine.release(one)
    await look()
    const two = await claimOf(engine)
    await look()
    await engine.retry(two, Date.now())
    await look()
    const three = await claimOf(engine)
    await look()
    await engine.finish(three, 'failed', '1', DAY)
    await look()
    await engine.expire(id)
    await look()
    t.is(versions[0], 1)
    t.true(versions.every(Number.isSafeInteger))
    t.true(versions.every((version, index) => index === 0 || version > Number(versions[index - 1])))
  })

  check('what it gives is a copy', async (t, engine) => {
    const { id } = await addTo(engine)
    const job = await jobOf(engine, id)
    const before = { ...job }
    await claimOf(engine)
    t.deepEqual(job, before)
  })

  check('a function that ends watching may be called twice', async (t, engine) => {
    const end = engine.watch(() => {})
    end()
    end()
    t.pass()
  })

  check('does what a model does, for any sequence of commands', async (t, engine) => {
    await followsModel(engine, { runs: options.runs ?? 50, order, lapses: isShared })
    t.pass()
  })

  if (!isShared) return

  check('jobs are there when it is opened again', async (t, engine, another) => {
    const keys = [{ text: 'k', until: 'expired' as const }]
    const waits = await addTo(engine, { keys, owner: 'me', priority: 3 })
    const late = await addTo(engine, { due: Date.now() + DAY })
    const claim = await running(engine, { task: 'other' }, 200 * pace)
    const ended = await running(engine, { task: 'third' })
    await engine.finish(ended, 'succeeded', 'done', DAY)
    const before = await Promise.all([waits, late, claim.job, ended.job].map(({ id }) => jobOf(engine, id)))
    await engine.close()
    const next = await another()
    t.deepEqual(await Promise.all(before.map(({ id }) => jobOf(next, id))), before)
    t.like(await next.add(newJob({ keys })), { isNew: false, job: { id: waits.id } })
    t.deepEqual(await idsOf(next, 'me'), [waits.id])
    t.is(await next.waiting(TASK), 2)
    t.is((await claimOf(next)).job.id, waits.id)
    const again = await until(() => next.claim('other', DAY))
    t.like(again.job, { id: claim.job.id, failures: 1, attempts: 2 })
  })

  check('two engines over one store see each other', async (t, one, another) => {
    const other = await another()
    const job = await addTo(one, { owner: 'me' })
    t.deepEqual(await other.get(job.id), job)
    t.deepEqual(await idsOf(other, 'me'), [job.id])
    t.deepEqual([await other.waiting(TASK), await other.due(TASK)], [1, job.due])
    const claim = await claimOf(other)
    t.is(await one.claim(TASK, DAY), undefined)
    // The claim is a value: who knows it may use it in any engine.
    t.is(await one.renew(claim, DAY), 'held')
    t.is(await one.cancel(job.id, DAY), 'running')
    t.is(await other.renew(claim, DAY), 'lost')
    t.false(await other.finish(claim, 'succeeded', '1', DAY))
    t.is(await stateOf(other, job.id), 'cancelled')
  })

  check('two engines give each of 200 jobs to one of 20 that ask at once', async (t, one, another) => {
    const other = await another()
    const engines = [one, other] as const
    const ids = await Promise.all(
      Array.from({ length: 200 }, (_, index) => addTo(engines[index % 2] as Engine).then(({ id }) => id)),
    )
    const got: string[] = []
    const work = async (engine: Engine) => {
      for (let claim = await engine.claim(TASK, DAY); claim; claim = await engine.claim(TASK, DAY)) {
        got.push(claim.job.id)
        if (!(await engine.finish(claim, 'succeeded', '1', DAY))) t.fail('A job was lost that nobody else could have.')
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, index) => work(engines[index % 2] as Engine)))
    t.deepEqual(got.toSorted(), ids.toSorted())
  })

  check('one key and a limit hold in two engines', async (t, one, another) => {
    const other = await another()
    const keys = [{ text: 'k', until: 'ended' as const }]
    const same = await Promise.all([one, other, one, other].map(it => it.add(newJob({ keys }))))
    t.is(same.filter(it => it !== 'full' && it.isNew).length, 1)
    const jobs = Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? one : other).add(newJob({ task: 'b', limit: 5 })),
    )
    t.is((await Promise.all(jobs)).filter(it => it !== 'full').length, 5)
  })

  check('finish() in one engine and cancel() in another at once, 50 times: one wins', async (t, one, another) => {
    const other = await another()
    for (let round = 0; round < 50; round++) {
      const claim = await running(one)
      const [isFinished, was] = await Promise.all([
        one.finish(claim, 'succeeded', '1', DAY),
        other.cancel(claim.job.id, DAY),
      ])
      const state = await stateOf(one, claim.job.id)
      t.regex(`${isFinished} ${was} ${state}`, /^(?:true succeeded succeeded|false running cancelled)$/)
    }
  })

  check('watch() calls for what another engine does, until it is ended', async (t, one, another) => {
    const other = await another()
    const seen: (string | undefined)[] = []
    const end = one.watch(id => seen.push(id))
    const calls = async (id: string) => {
      await until(async () => seen.some(it => it === undefined || it === id))
      seen.length = 0
    }
    const { id } = await addTo(other)
    await calls(id)
    const claim = await claimOf(other)
    await calls(id)
    await other.progress(claim, '1')
    await calls(id)
    await other.finish(claim, 'succeeded', '1', DAY)
    await calls(id)
    const second = await addTo(other)
    await calls(second.id)
    await other.cancel(second.id, DAY)
    await calls(second.id)
    end()
    await sleep(300 * pace)
    seen.length = 0
    await addTo(other)
    await sleep(300 * pace)
    t.deepEqual(seen, [])
  })
}

/** Asks again and again until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + PATIENCE
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`In ${PATIENCE / 1000} s it has not happened.`)
    await sleep(10)
  }
}

async function inStore(options: Conformance, use: (another: () => Promise<Engine>) => Promise<unknown>): Promise<void> {
  const store = await options.store()
  const engines: Engine[] = []
  try {
    await use(async () => {
      const engine = store.engine()
      engines.push(engine)
      await engine.open()
      return engine
    })
  } finally {
    for (const engine of engines) await engine.close()
    await store.remove?.()
  }
}
