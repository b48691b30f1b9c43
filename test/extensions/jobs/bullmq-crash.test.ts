import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Job } from '../../../dist/extensions/jobs/engine.js'
import { until } from '../../support/engine-suite.js'
import { forked } from '../../support/forked.js'
import { newJob } from '../../support/new-job.js'
import { noOwnRedis, type OwnRedis, startRedis } from '../../support/own-redis.js'
import { root } from '../../support/root.js'

const url = pathToFileURL(join(root, 'dist/extensions/jobs/bullmq.js')).href
const { bullmq } = (await import(url)) as typeof import('../../../dist/extensions/jobs/bullmq.js')
const worker = fileURLToPath(new URL('../../support/bullmq-process.js', import.meta.url))

const JOBS = Number(process.env.KOLBA_CRASH_JOBS ?? 200)
const KILLS = Number(process.env.KOLBA_CRASH_KILLS ?? 8)
const silent = { info() {}, warn() {}, error() {} }

function testAof(title: string, run: (t: ExecutionContext, redis: OwnRedis) => Promise<void>): void {
  if (noOwnRedis && process.env.KOLBA_REQUIRE?.includes('redis')) return test(title, t => t.fail(noOwnRedis))
  if (noOwnRedis) return test.skip(`${title} (skipped: ${noOwnRedis})`, t => t.pass())
  test.serial(title, async t => {
    t.timeout(600_000)
    const redis = await startRedis()
    try {
      await run(t, redis)
    } finally {
      await redis.remove()
    }
  })
}

testAof('bullmq: a job of a process that was killed is given on when its lease is over', async (t, redis) => {
  const engine = bullmq(redis.url)
  await engine.open()
  const { job } = (await engine.add(newJob({ task: 'crash' }))) as { job: Job }
  const child = forked(new URL('../../support/bullmq-claim.js', import.meta.url), [redis.url, 'crash', '700'])
  const [claimed] = (await once(child, 'message')) as [Job]
  t.like(claimed, { id: job.id, state: 'running', attempts: 1 })
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.is(await engine.claim('crash', 60_000), undefined)
  t.like(await engine.get(job.id), { state: 'running', failures: 0 })
  const claim = await until(() => engine.claim('crash', 60_000))
  t.true(Date.now() >= Number(claimed.started) + 700)
  t.like(claim.job, { id: job.id, state: 'running', attempts: 2, failures: 1 })
  t.true(await engine.finish(claim, 'succeeded', '1', 60_000))
  await engine.close()
})

testAof(
  'bullmq: no job is lost, ends twice or succeeds in vain when processes and Redis are killed',
  async (t, redis) => {
    const ledger = join(redis.folder, 'ledger')
    const engine = bullmq(redis.url, { timeout: 2, logger: silent })
    await engine.open()
    const accepted: string[] = []
    const cancelled = new Set<string>()
    const confirmed = new Set<string>()
    const final = new Map<string, Job>()
    const args = [redis.url, 'kolba', ledger, '400']
    const start = () => forked(worker, args).on('message', id => id !== 'open' && confirmed.add(String(id)))
    const children: ChildProcess[] = [start(), start()]

    async function add(): Promise<void> {
      for (let index = 0; index < JOBS; index++) {
        const keys = index % 5 === 0 ? [{ text: randomUUID(), until: 'ended' as const }] : []
        const job = newJob({ task: 'crash', owner: `o${index % 3}`, priority: index % 3, keys })
        // What was not accepted may be there or not.
        if (await tried(() => engine.add(job))) accepted.push(job.id)
        if (index % 4 === 3) await cancel(accepted[Math.floor(Math.random() * accepted.length)])
        if (index % 10 === 0) await look()
      }
    }
    async function cancel(id: string | undefined): Promise<void> {
      const before = id && (await tried(() => engine.cancel(id, 3_600_000)))
      if (before === 'queued' || before === 'running') cancelled.add(String(id))
    }
    /** What is final stays, in each of its fields. */
    async function look(): Promise<void> {
      for (const id of accepted.slice(-50)) {
        const job = await tried(() => engine.get(id))
        const known = final.get(id)
        if (known && job) t.deepEqual(job, known)
        if (job && job.state !== 'queued' && job.state !== 'running') final.set(id, job)
      }
    }
    async function kill(): Promise<void> {
      for (let round = 0; round < KILLS; round++) {
        await sleep(50 + Math.random() * 400)
        if (round % 4 === 3) {
          await redis.kill()
          await redis.start()
          continue
        }
        const victim = children.shift() as ChildProcess
        victim.kill('SIGKILL')
        children.push(start())
      }
    }

    await Promise.all([add(), kill()])
    const states = new Map<string, Job>()
    await until(async () => {
      for (const id of accepted) {
        if (states.has(id)) continue
        const job = await tried(() => engine.get(id))
        if (job?.state === 'succeeded' || job?.state === 'cancelled') states.set(id, job)
      }
      await sleep(100)
      return states.size === accepted.length
    })
    for (const child of children) child.kill('SIGKILL')
    await engine.close()

    const done = new Set(existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n') : [])
    t.true(accepted.length > JOBS / 2)
    for (const [id, job] of states) {
      if (final.has(id)) t.deepEqual(job, final.get(id))
      if (job.state === 'succeeded') t.true(done.has(id), `${id} succeeded, and nothing was done`)
      if (cancelled.has(id)) t.is(job.state, 'cancelled')
      if (confirmed.has(id)) t.is(job.state, 'succeeded')
    }
    const counts = [
      accepted.length,
      cancelled.size,
      confirmed.size,
      [...states.values()].filter(it => it.attempts > 1).length,
    ]
    t.log(`${counts[0]} accepted, ${counts[1]} cancelled, ${counts[2]} confirmed, ${counts[3]} begun more than once`)
  },
)

async function tried<T>(use: () => Promise<T>): Promise<T | undefined> {
  try {
    return await use()
  } catch {
    await sleep(20)
    return undefined
  }
}
