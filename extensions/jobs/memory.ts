import { randomUUID } from 'node:crypto'
import { type Added, type Claim, type Ending, type Engine, type Job, NEW, type NewJob } from './engine.ts'
import { type Kept, Tasks } from './memory/tasks.ts'

/**
 * Keeps jobs in this process, which loses them when it ends: for development and tests, and for work that may be lost.
 * Whoever has a job is in this process too, so that no lease is ever over.
 *
 * @example jobs({ engine: memory() })   // the default
 */
export function memory(): Engine {
  const all = new Map<string, Kept>()
  const owned = new Map<string, Set<Kept>>()
  const tasks = new Map<string, Tasks>()
  const keyed = new Map<string, Kept>()
  let order = 0

  const tasksOf = (name: string) => getOr(tasks, name, () => new Tasks())

  function held({ job, token }: Claim): Kept | undefined {
    const kept = all.get(job.id)
    return kept?.state === 'running' && kept.token === token ? kept : undefined
  }

  function add({ keys, limit, ...job }: NewJob): Added {
    const places = keys.map(({ text }) => JSON.stringify([job.task, text]))
    const same = places.map(it => keyed.get(it)).find(it => it !== undefined)
    if (same) return { job: copyOf(same), isNew: false }
    const its = tasksOf(job.task)
    if (its.waiting >= limit) return 'full'
    const kept: Kept = { ...job, ...KEPT, keys, created: Date.now(), order: ++order }
    all.set(job.id, kept)
    for (const it of places) keyed.set(it, kept)
    if (job.owner !== undefined) getOr(owned, job.owner, () => new Set()).add(kept)
    its.push(kept)
    return { job: copyOf(kept), isNew: true }
  }

  function begin(kept: Kept): Claim {
    const token = randomUUID()
    change(kept, { state: 'running', token, started: Date.now(), attempts: kept.attempts + 1 })
    return { job: copyOf(kept), token }
  }

  function again(kept: Kept, due: number, failures: number): true {
    change(kept, { state: 'queued', due, failures, order: ++order, token: undefined })
    tasksOf(kept.task).push(kept)
    return true
  }

  function end(kept: Kept, state: Ending, result: string | undefined, keep: number): void {
    const wasWaiting = kept.state === 'queued'
    const now = Date.now()
    change(kept, {
      state,
      result,
      request: '',
      finished: now,
      until: now + keep,
      gone: now + 2 * keep,
      token: undefined,
    })
    if (wasWaiting) tasksOf(kept.task).drop()
    forget(kept, 'ended')
  }

  function expire(kept: Kept): void {
    change(kept, { state: 'expired', progress: undefined, result: undefined })
    forget(kept, 'expired')
    const others = owned.get(kept.owner ?? '')
    others?.delete(kept)
    if (others?.size === 0) owned.delete(kept.owner ?? '')
  }

  function forget({ keys, task, id }: Kept, until: 'ended' | 'expired'): void {
    for (const key of keys) {
      const place = JSON.stringify([task, key.text])
      const isOver = until === 'expired' || !keys.some(it => it.text === key.text && it.until === 'expired')
      if (isOver && keyed.get(place)?.id === id) keyed.delete(place)
    }
  }

  return {
    name: 'memory',
    isLasting: false,
    async open() {},
    async close() {},
    add: async job => add(job),
    get: async id => copyOf(all.get(id)),
    async *list(owner) {
      for (const kept of [...(owned.get(owner) ?? [])].reverse()) if (kept.state !== 'expired') yield copyOf(kept)
    },
    async claim(task) {
      const kept = tasksOf(task).next()
      return kept && begin(kept)
    },
    due: async task => tasksOf(task).due(),
    waiting: async task => tasksOf(task).waiting,
    renew: async claim => (held(claim) ? 'held' : 'lost'),
    async progress(claim, progress) {
      const kept = held(claim)
      if (kept) change(kept, { progress })
      return kept !== undefined
    },
    async finish(claim, ending, result, keep) {
      const kept = held(claim)
      if (kept) end(kept, ending, result, keep)
      return kept !== undefined
    },
    async retry(claim, due) {
      const kept = held(claim)
      return kept ? again(kept, due, kept.failures + 1) : false
    },
    async release(claim) {
      const kept = held(claim)
      return kept ? again(kept, Date.now(), kept.failures) : false
    },
    async cancel(id, keep) {
      const kept = all.get(id)
      const state = kept?.state
      if (kept && (state === 'queued' || state === 'running')) end(kept, 'cancelled', undefined, keep)
      return state
    },
    async expire(id) {
      const kept = all.get(id)
      if (kept?.finished !== undefined && kept.state !== 'expired') expire(kept)
    },
    async sweep() {
      const now = Date.now()
      for (const kept of all.values()) {
        if (kept.finished === undefined) continue
        if (kept.gone <= now) all.delete(kept.id)
        if (kept.until <= now && kept.state !== 'expired') expire(kept)
      }
    },
    watch: () => () => {},
  }
}

const KEPT = {
  ...NEW,
  token: undefined,
  until: 0,
  gone: 0,
} as const satisfies Partial<Kept>

function change(kept: Kept, news: Partial<Kept>): void {
  Object.assign(kept, news, { version: kept.version + 1 })
}

function copyOf(kept: Kept): Job
function copyOf(kept: Kept | undefined): Job | undefined
function copyOf(kept: Kept | undefined): Job | undefined {
  if (!kept) return undefined
  const { priority, keys, order, token, until, gone, ...job } = kept
  return job
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}
