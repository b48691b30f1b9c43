import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.js'
import type { Servers } from './servers.js'

export interface Kills {
  /** Servers that were killed, those that had not begun to listen among them. */
  kills: number
  early: number
  /** Servers that stood still for longer than their lease, and went on. */
  stops: number
  /** Times that the server of the store was killed. */
  stores: number
}

export interface Killing {
  readonly count: number
  readonly servers: Servers
  readonly random: Random
  /** Milliseconds. */
  readonly lease: number
  /** How far the round is, from 0 to 1, whatever the machine takes for it. */
  readonly progress: () => Promise<number>
  /** Kills the server of the store and starts it again, where there is one. */
  readonly killStore: (() => Promise<void>) | undefined
  readonly signal: AbortSignal
}

/** Milliseconds that a server takes to start, about. */
const STARTING = 600

/** Kills servers at random points of a round, some as soon as they start. */
export async function kill(killing: Killing): Promise<Kills> {
  const { count, random, progress, signal } = killing
  const kills: Kills = { kills: 0, early: 0, stops: 0, stores: 0 }
  const points = Array.from({ length: count }, random).sort((one, other) => one - other)
  for (const point of points) {
    while ((await progress()) < point && !signal.aborted) await sleep(5)
    if (signal.aborted) break
    await sleep(random() * 30)
    await strike(killing, kills)
  }
  return kills
}

async function strike(killing: Killing, kills: Kills): Promise<void> {
  const { servers, random, killStore, lease } = killing
  const chance = random()
  if (killStore && chance < 0.15) {
    kills.stores += 1
    return killStore()
  }
  const one = servers.all[Math.floor(random() * servers.all.length)] as Servers['all'][number]
  if (servers.all.length > 1 && one.isUp && chance > 0.85) {
    kills.stops += 1
    return one.stop(lease * (1.2 + random()))
  }
  await Promise.all((chance < 0.3 ? servers.all : [one]).map(server => killOne(server, random, kills)))
}

/** Kills one, starts it again, and with some luck kills it again before it is up. */
async function killOne(server: Servers['all'][number], random: Random, kills: Kills): Promise<void> {
  for (let isOnce = false; !isOnce; isOnce = random() > 0.35) {
    if (!server.isUp) kills.early += 1
    kills.kills += 1
    await server.kill()
    server.start()
    await sleep(random() * STARTING)
  }
}
