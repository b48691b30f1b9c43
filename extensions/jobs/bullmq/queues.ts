import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Job } from '../engine.ts'
import { type Backend, did, jobData, type Stored } from './backend.ts'
import { Owners } from './owners.ts'
import { type Data, type Entity, entityOf, fromJson, jobOf, toJson } from './record.ts'
import { nameOf, pack } from './text.ts'

const HOUR = 3_600_000
/** When what is in the registry is looked at, if nobody says when. */
const LOOK = HOUR
// Everything in a queue has a priority, so that BullMQ keeps it in a set: what it keeps in a list it finds slowly.
const FIRST = 1
const MIDDLE = 2 ** 20

/** The entry of a job in the registry. */
export interface Listed {
  readonly id: string
  readonly task: string
  readonly owner: string | undefined
  readonly keys: number
  /** The job itself, where it is no more in the queue of its task. */
  readonly ended?: { readonly job: Job; readonly keep: number }
}

/**
 * The queues in BullMQ: one for each task, in which its jobs wait, run and are kept when they have ended; and the
 * registry, whose jobs nobody works at but `sweep()`. There is one in it for each job, which tells its task and comes up
 * when the job has been kept for long enough, one for each key, for each owner, and for each job that was cancelled
 * while it waited.
 */
export class Queues {
  readonly registry: Backend
  readonly owners: Owners
  readonly #base: Backend
  readonly #prefix: string
  readonly #space: string
  readonly #queues = new Map<string, Backend>()
  readonly #tasks = new LRUCache<string, string>({ max: 10_000 })
  readonly #quiet = new Map<string, Promise<unknown>>()

  constructor(base: Backend, prefix: string, space: string) {
    this.#base = base
    this.#prefix = prefix
    this.#space = space
    this.registry = base.forQueue(this.#nameOf(undefined), prefix)
    this.owners = new Owners(this.registry, (...entry) => this.put(...entry))
  }

  #nameOf(task: string | undefined): string {
    return this.#space + (task === undefined ? '%jobs' : nameOf(task))
  }

  of(task: string): Backend {
    const queue = this.#queues.get(task) ?? this.#base.forQueue(this.#nameOf(task), this.#prefix)
    this.#queues.set(task, queue)
    return queue
  }

  /** What BullMQ tells in its stream of events holds results: a queue keeps next to nothing of it. */
  #quieten(name: string, queue: Backend): Promise<unknown> {
    const known = this.#quiet.get(name)
    if (known) return known
    const done = queue.setQueueMeta({ 'opts.maxLenEvents': 1 })
    this.#quiet.set(name, done)
    done.catch(() => this.#quiet.delete(name))
    return done
  }

  /** Keeps a job. Its entry in the registry comes first: one that is there alone goes with the next look. */
  async add(data: Data, priority: number): Promise<void> {
    const { id, task, owner, keys, due } = data
    await Promise.all([this.#quieten('%jobs', this.registry), this.#quieten(task, this.of(task))])
    const key = jobKey(id)
    const delay = Math.max(0, Math.ceil(due - Date.now()))
    await this.put(key, 'job', { id, task, owner, keys: keys.length }, { delay: delay + LOOK })
    const rank = Math.min(Math.max(MIDDLE - Math.round(priority), FIRST), 2 * MIDDLE - 1)
    const job = jobData(key, pack(task), toJson(data), { delay, priority: rank })
    await Promise.all([this.of(task).addJob(job, key), owner === undefined ? undefined : this.owners.add(owner, id)])
    this.#tasks.set(id, task)
  }

  /** Puts something into the registry, if nothing is there under this key. */
  put(key: string, name: string, data: object, options: { delay?: number; key?: string } = {}): Promise<string> {
    return this.registry.addJob(jobData(key, name, toJson(data), { delay: LOOK, ...options }), key)
  }

  async entry<T>(key: string): Promise<T | undefined> {
    const stored = await this.registry.getJobData(key)
    return stored && read<T>(stored)
  }

  async listed(id: string): Promise<Listed | undefined> {
    const listed = await this.entry<Listed>(jobKey(id))
    if (listed) this.#tasks.set(id, listed.task)
    return listed
  }

  /** A job that is in the queue of its task, or what the registry has of one that is there no more. */
  async find(id: string): Promise<{ entity?: Entity; listed?: Listed | undefined }> {
    // A job leaves its queue when the registry has it: whoever looks in this order does not miss it.
    const task = this.#tasks.get(id) ?? (await this.listed(id))?.task
    const entity = task === undefined ? undefined : await this.entity(task, id)
    return entity ? { entity } : { listed: await this.listed(id) }
  }

  entity(task: string, id: string): Promise<Entity | undefined> {
    return this.entityAt(task, jobKey(id))
  }

  async entityAt(task: string, key: string): Promise<Entity | undefined> {
    const stored = await this.of(task).getJobData(key)
    return stored && entityOf(stored)
  }

  /** Has a job that has ended leave its request behind. */
  async strip(data: Data): Promise<void> {
    await did(this.of(data.task).updateData({ id: jobKey(data.id) }, toJson({ ...data, request: '' })))
  }

  /** Has the registry keep a job, and takes it out of the queue of its task. */
  async shelve(job: Job, keep: number, keys: number): Promise<void> {
    const { id, task, owner } = job
    const listed = { id, task, owner, keys, ended: { job: toJson(job), keep } }
    const isKept = await did(this.registry.updateData({ id: jobKey(id) }, toJson(listed)))
    if (isKept) await did(this.of(task).remove(jobKey(id), false))
  }

  /** Has BullMQ find at once what has no lock any more: it marks everything, and takes what it has marked before. */
  async lapse(task: string): Promise<void> {
    const queue = this.of(task)
    await queue.moveStalledJobsToWait()
    // It wants a millisecond between its looks.
    await sleep(3)
    await queue.moveStalledJobsToWait()
  }

  /** Has `sweep()` look at a job in so many milliseconds. It may be looking at it now. */
  async look(id: string, delay: number): Promise<void> {
    await did(this.registry.changeDelay(jobKey(id), Math.max(0, Math.ceil(delay))))
  }
}

/** What an entry of the registry says. */
export function read<T>({ data }: Stored): T {
  const value = fromJson<Record<string, unknown> & { ended?: { job: object; keep: number } }>(JSON.parse(data))
  return { ...value, ...(value.ended && { ended: { ...value.ended, job: jobOf(fromJson(value.ended.job)) } }) } as T
}

export const jobKey = (id: string): string => `job.${nameOf(id)}`
export const cancelKey = (id: string): string => `cancel.${nameOf(id)}`
export const keyKey = (id: string, index: number): string => `key.${nameOf(id)}.${index}`
