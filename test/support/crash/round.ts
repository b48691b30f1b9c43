import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type Final } from './client.js'
import { startEffects } from './effects.js'
import type { EngineName } from './engines.js'
import { type Kills, kill } from './killer.js'
import { Ledger } from './ledger.js'
import { type Order, ordersOf } from './orders.js'
import { randomOf } from './random.js'
import { Servers } from './servers.js'
import { openStore, type Store } from './stores.js'
import { judge, type Records, type Verdict } from './verdict.js'

export interface RoundOptions {
  readonly engine: EngineName
  readonly jobs: number
  /** Points at which servers are killed. */
  readonly kills: number
  readonly servers: number
  readonly seed: number
  /** Is the server of the store killed as well? */
  readonly killsStore: boolean
  /** An empty folder for what the round writes. */
  readonly folder: string
}

/** What a round has come to. */
export interface Round extends Kills {
  readonly jobs: number
  readonly accepted: number
  /** Requests that got no answer, or 503, and what should not have been answered. */
  readonly unanswered: number
  readonly refused: number
  readonly wrong: readonly string[]
  /** Jobs that are there though no 202 of theirs was read. */
  readonly unaccepted: number
  readonly ended: Readonly<Record<string, number>>
  /** How often jobs were begun again, as their `attempts` say, and as the ledger does. */
  readonly again: number
  readonly begunAgain: number
  /** Effects that were asked for again, and that the key has prevented. */
  readonly prevented: number
  readonly verdict: Verdict
  readonly seconds: number
}

/** Seconds. */
const LEASE = 1
/** Requests that are under way at one time. */
const CLIENTS = 16
/** Milliseconds for all jobs to end when nobody kills any more. */
const LIMIT = 120_000

/** Sends orders to servers that are killed meanwhile, waits until all jobs have ended, and compares what is known of them. */
export async function round(options: RoundOptions): Promise<Round> {
  await mkdir(options.folder, { recursive: true })
  const store = await openStore(options.engine, options.folder)
  try {
    return await over(store, options)
  } finally {
    await store.end()
  }
}

async function over(store: Store, options: RoundOptions): Promise<Round> {
  const start = performance.now()
  const random = randomOf(options.seed)
  const orders = ordersOf(options.jobs, random)
  const ledger = new Ledger(join(options.folder, 'ledger'))
  const effects = await startEffects()
  const env = {
    ENGINE: options.engine,
    PLACE: store.place,
    LEDGER: ledger.file,
    EFFECTS: effects.url,
    LEASE: `${LEASE}`,
  }
  const servers = new Servers(options.servers, env, options.killsStore)
  const client = new Client(servers)
  try {
    const kills = await disturbed(options, { store, servers, client, ledger, orders, random })
    const finals = await readAll(client, orders)
    // What was thought dead has come back by now if it ever does, and what is not on the disk is gone.
    await sleep(LEASE * 1000)
    await servers.renew()
    await listAll(client, orders)
    const later = await readAll(client, orders)
    await ledger.look()
    await checkOwners(client, orders)
    const records: Records = {
      ...{ orders, finals, later, ledger: ledger.entries, effects: effects.done },
      ...{ accepted: client.accepted, cancelled: client.cancelled, sightings: client.sightings },
    }
    const verdict = judge(records)
    const wrong = [...client.wrong, ...servers.fallen]
    if (wrong.length + Object.values(verdict).flat().length > 0) await keep(options, records, { verdict, wrong })
    const seconds = (performance.now() - start) / 1000
    return {
      ...kills,
      ...countsOf(records),
      ...clientOf(client),
      wrong,
      verdict,
      seconds,
      prevented: effects.asked() - effects.done.length,
    }
  } finally {
    await servers.end()
    await effects.close()
  }
}

interface Scene {
  readonly store: Store
  readonly servers: Servers
  readonly client: Client
  readonly ledger: Ledger
  readonly orders: readonly Order[]
  readonly random: () => number
}

/** Sends all orders, while servers are killed and somebody looks at the lists, until all jobs have ended. */
async function disturbed(options: RoundOptions, scene: Scene): Promise<Kills> {
  const { store, servers, client, ledger, orders, random } = scene
  const over = new AbortController()
  const killing = kill({
    ...{ count: options.kills, servers, random, lease: LEASE * 1000, signal: over.signal },
    killStore: options.killsStore ? store.kill : undefined,
    async progress() {
      await ledger.look()
      return (client.accepted.size + ledger.entries.length) / (2.5 * orders.length)
    },
  })
  const queue = [...orders].reverse()
  const send = async () => {
    for (let order = queue.pop(); order; order = queue.pop()) await client.place(order)
  }
  const ending = async () => {
    await Promise.all(Array.from({ length: CLIENTS }, send))
    await untilEnded(client, orders)
  }
  await Promise.all([watch(client, orders, over.signal), ending().finally(() => over.abort())])
  return killing
}

/** Looks at the jobs of one owner after another, while they are being done. */
async function watch(client: Client, orders: readonly Order[], signal: AbortSignal): Promise<void> {
  for (const owner of ownersOf(orders, signal)) {
    await client.list(owner)
    await sleep(20)
  }
}

function* ownersOf(orders: readonly Order[], signal: AbortSignal) {
  const owners = [...new Set(orders.map(({ owner }) => owner))]
  for (let index = 0; !signal.aborted; index++) yield owners[index % owners.length] as string
}

async function untilEnded(client: Client, orders: readonly Order[]): Promise<void> {
  const end = performance.now() + LIMIT
  while ((await listAll(client, orders)) > 0) {
    if (performance.now() > end) return
    await sleep(200)
  }
}

/** @returns how many jobs have not ended */
async function listAll(client: Client, orders: readonly Order[]): Promise<number> {
  let open = 0
  for (const owner of new Set(orders.map(({ owner }) => owner)))
    open += (await client.list(owner)).filter(({ finished }) => finished === null).length
  return open
}

async function readAll(client: Client, orders: readonly Order[]): Promise<Map<string, Final | undefined>> {
  const finals = new Map<string, Final | undefined>()
  const queue = [...client.accepted]
  const read = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [number, id] = next
      finals.set(id, await client.read(id, (orders[number] as Order).owner))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, read))
  return finals
}

/** What is another's is not there. */
async function checkOwners(client: Client, orders: readonly Order[]): Promise<void> {
  for (const [number, id] of [...client.accepted].slice(0, 10)) {
    const status = await client.peek(id, `not ${orders[number]?.owner}`)
    if (status !== 404) client.wrong.push(`The job ${id} was shown to somebody else, with ${status}.`)
  }
}

function countsOf({ orders, accepted, ledger, sightings, finals }: Records) {
  const ids = new Set(accepted.values())
  // Of a job whose 202 nobody has read, its end is not looked for either.
  const begun = ledger.filter(({ what, id }) => what === 'begin' && ids.has(id))
  const all = [...finals.values()].filter(it => it !== undefined)
  const again = all.reduce((sum, { attempts }) => sum + Math.max(attempts - 1, 0), 0)
  const known = new Set([...ledger.map(({ id }) => id), ...sightings.keys()])
  const ended = Object.fromEntries(
    ['succeeded', 'failed', 'cancelled'].map(state => [state, all.filter(it => it.state === state).length]),
  )
  return {
    jobs: orders.length,
    accepted: ids.size,
    unaccepted: [...known].filter(id => !ids.has(id)).length,
    ended,
    again,
    begunAgain: begun.length - new Set(begun.map(({ id }) => id)).size,
  }
}

function clientOf({ unanswered, refused }: Client) {
  return { unanswered, refused }
}

/** Writes down all that is known, for whoever looks for the cause. */
async function keep({ folder }: RoundOptions, records: Records, found: object): Promise<void> {
  const plain = (_key: string, value: unknown) =>
    value instanceof Map ? Object.fromEntries(value) : value instanceof Set ? [...value] : value
  await writeFile(join(folder, 'records.json'), JSON.stringify({ ...found, ...records }, plain, 1))
}
