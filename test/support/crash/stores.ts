import { join } from 'node:path'
import { startRedis } from '../own-redis.js'
import type { EngineName } from './engines.js'

/** Where the jobs of one round are. */
export interface Store {
  /** What the engine is given: a file, or a URL. */
  readonly place: string
  /** Kills its server, and starts it again with what is on its disk, where it has one. */
  readonly kill: (() => Promise<void>) | undefined
  end(): Promise<void>
}

/** BullMQ gets a Redis that writes each change to the disk before it answers: `appendfsync always`. */
export async function openStore(engine: EngineName, folder: string): Promise<Store> {
  if (engine !== 'bullmq') return { place: join(folder, 'jobs.db'), kill: undefined, end: async () => {} }
  const redis = await startRedis()
  return {
    place: redis.url,
    async kill() {
      await redis.kill()
      await redis.start()
    },
    end: redis.remove,
  }
}
