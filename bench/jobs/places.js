// Where jobs are kept: each place is empty when it is used, and nothing is left of it afterwards.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { bullmq } from '../../dist/extensions/jobs/bullmq.js'
import { memory } from '../../dist/extensions/jobs/memory.js'
import { sqlite } from '../../dist/extensions/jobs/sqlite.js'

const { DATABASE_URL } = process.env
const ON_DISK = ['--appendonly', 'yes', '--appendfsync', 'always']
const NOT_ON_DISK = ['--appendonly', 'no']
const always = () => undefined
const noRedis = () => (spawnSync('redis-server', ['--version']).error ? 'there is no redis-server.' : undefined)
const noPostgres = () => (DATABASE_URL ? undefined : 'DATABASE_URL is not set.')
const quiet = { logger: { info() {}, warn() {}, error: console.error } }

/** `use` calls a function with where it is, and `engine` makes one over it. */
export const places = [
  { title: 'memory()', missing: always, use: use => use(), engine: () => memory() },
  { title: 'sqlite(file)', missing: always, use: inFolder, engine: folder => sqlite(join(folder, 'jobs.db')) },
  { title: 'bullmq(redis), on disk', missing: noRedis, use: onRedis(ON_DISK), engine: url => bullmq(url, quiet) },
  { title: 'BullMQ alone, on disk', missing: noRedis, use: onRedis(ON_DISK), isPlain: true },
  { title: 'bullmq(redis), in memory', missing: noRedis, use: onRedis(NOT_ON_DISK), engine: url => bullmq(url, quiet) },
  { title: 'BullMQ alone, in memory', missing: noRedis, use: onRedis(NOT_ON_DISK), isPlain: true },
  {
    title: 'bullmq(postgres)',
    missing: noPostgres,
    use: onPostgres,
    engine: prefix => bullmq(DATABASE_URL, { ...quiet, prefix }),
  },
]

/** BullMQ without kolba. `work` does what waits, and is done when it is. */
export async function plainBullMQ(url, concurrency) {
  const connection = { url, maxRetriesPerRequest: null }
  const queue = new Queue('reports', { connection })
  await queue.waitUntilReady()
  let worker
  return {
    queue,
    async work(count) {
      let left = count
      worker = new Worker('reports', async () => null, { connection, concurrency })
      await new Promise(resolve => worker.on('completed', () => --left === 0 && resolve()))
    },
    async close() {
      await worker?.close()
      await queue.close()
    },
  }
}

async function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function onRedis(settings) {
  return use =>
    inFolder(async folder => {
      const port = await freePort()
      const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '']
      const server = spawn('redis-server', [...own, ...settings], { stdio: 'ignore' })
      const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 50 })
      redis.on('error', () => {})
      try {
        await redis.ping()
        return await use(`redis://127.0.0.1:${port}`)
      } finally {
        redis.disconnect()
        server.kill()
        await once(server, 'exit')
      }
    })
}

async function onPostgres(use) {
  const schema = `kolba_bench_${process.pid}`
  try {
    return await use(schema)
  } finally {
    const client = new pg.Client({ connectionString: DATABASE_URL })
    await client.connect()
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  }
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
