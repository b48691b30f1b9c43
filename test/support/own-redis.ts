import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** Why there can be no Redis of our own, undefined where there can be. */
export const noOwnRedis: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'there is no redis-server on the PATH'

/** Options of redis-server, without the dashes. What is not said is as for jobs that must not be lost. */
export type RedisSettings = Readonly<Record<string, string>>

/** A Redis of our own, in a folder of its own that is removed with it. */
export interface OwnRedis {
  readonly url: string
  readonly folder: string
  /** Stops it with SIGSTOP, so that it does not answer, or has it go on with SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Kills it with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again, on the same port and with what it has kept. */
  start(): Promise<void>
  /** Kills it and removes its folder. */
  remove(): Promise<void>
}

const SAFE: RedisSettings = { appendonly: 'yes', appendfsync: 'always', save: '', 'maxmemory-policy': 'noeviction' }

/** Starts a Redis that has written what it confirms. */
export async function startRedis(settings: RedisSettings = {}): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const wanted = { ...SAFE, ...settings, port: String(port), bind: '127.0.0.1', dir: folder }
  const args = Object.entries(wanted).flatMap(([name, value]) => [
    `--${name}`,
    ...(name === 'save' ? [value] : value.split(' ')),
  ])
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    child = spawn('redis-server', args, { stdio: 'ignore' })
    await answers(url, child)
  }

  async function kill(): Promise<void> {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null) return
    ending.kill('SIGKILL')
    await once(ending, 'close')
  }

  const atExit = () => child?.kill('SIGKILL')

  async function remove(): Promise<void> {
    await kill()
    process.off('exit', atExit)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  // Nothing of it stays when the tests end before their time.
  process.once('exit', atExit)
  await start()
  return { url, folder, signal: name => child?.kill(name), kill, start, remove }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + 30_000; ; await sleep(20)) {
    const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
    redis.on('error', () => {})
    try {
      await redis.connect()
      await redis.ping()
      return
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`redis-server has ended with ${child.exitCode}.`)
      if (Date.now() > end) throw error
    } finally {
      redis.disconnect()
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
