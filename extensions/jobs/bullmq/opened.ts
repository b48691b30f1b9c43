import type { Added, Job, NewJob } from '../engine.ts'
import { Cancels } from './cancels.ts'
import { Claims } from './claims.ts'
import type { Connected } from './connect.ts'
import { Keys, SLOW } from './keys.ts'
import { Limits } from './limits.ts'
import { Queues } from './queues.ts'
import { dataOf, newJobOf } from './record.ts'
import { Sweeper } from './sweep.ts'

/** An engine that is connected, in its parts. */
export type Opened = ReturnType<typeof opened>

export function opened({ base, space, close }: Connected, prefix: string, ms: number) {
  const queues = new Queues(base, prefix, space)
  const keys = new Keys(queues, get)
  const cancels = new Cancels(queues, keys)
  const claims = new Claims(queues, cancels, keys)
  const limits = new Limits(queues)
  const sweeper = new Sweeper(queues, keys)

  async function get(id: string): Promise<Job | undefined> {
    const { entity, listed } = await queues.find(id)
    return entity ? cancels.seen(entity) : listed?.ended?.job
  }

  async function add(job: NewJob): Promise<Added> {
    const since = performance.now()
    const other = await keys.take(job)
    if (other) return { job: other, isNew: false }
    const data = dataOf(job, Date.now())
    const isAdded = await limits.add(job.task, job.limit, () => {
      // Whoever asked has been refused by now.
      if (performance.now() - since > ms) throw late()
      return queues.add(data, job.priority)
    })
    if (!isAdded) {
      await keys.drop(job.id, job.keys.length)
      return 'full'
    }
    const isSlow = job.keys.length > 0 && performance.now() - since > SLOW
    if (!isSlow || (await keys.areOf(job))) return { job: newJobOf(data), isNew: true }
    // Somebody took this for dead and has its key: that one is the job then.
    await cancels.cancel(job.id, 0)
    const winner = await keys.take(job)
    if (winner) return { job: winner, isNew: false }
    await keys.drop(job.id, job.keys.length)
    throw late()
  }

  async function due(task: string): Promise<number | undefined> {
    const queue = queues.of(task)
    const kinds = ['wait', 'prioritized', 'delayed']
    const [[active = []], firsts] = await Promise.all([
      queue.getRanges(['active'], 0, 999, true),
      queue.getRanges(kinds, 0, 0, true),
    ])
    const jobs = await Promise.all(firsts.flat().map(key => queues.entityAt(task, key)))
    const times = [...jobs.flatMap(it => (it ? [it.job.due] : [])), ...claims.leases(task, active)]
    return times.length > 0 ? Math.min(...times) : undefined
  }

  return { close, queues, cancels, claims, limits, sweeper, get, add, due }
}

const late = () => new Error('bullmq: it took too long to add the job. Is the database busy?')
