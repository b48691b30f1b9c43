// 10,000 jobs over BullMQ, with the engine and with BullMQ alone: added one by one, 50 at once, then done 10 at once.
// Redis is one of its own, once with every write on disk before it is confirmed, once with nothing on disk.
//   npm run build && node bench/jobs-bullmq.js [jobs]
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { bullmq } from '../dist/extensions/jobs/bullmq.js'

const JOBS = Number(process.argv[2] ?? 10_000)
const ADDERS = 50
const WORKERS = 10
const PORT = 20_000 + (process.pid % 10_000)
const request = JSON.stringify({ body: { month: '2026-01', text: 'x'.repeat(200) } })

for (const [name, settings] of [
  ['appendfsync always', ['--appendonly', 'yes', '--appendfsync', 'always']],
  ['nothing on disk', ['--appendonly', 'no']],
]) {
  await withRedis(settings, async url => {
    report(name, 'plain BullMQ', await plain(url))
    report(name, 'the engine', await engine(url))
  })
}

async function plain(url) {
  const connection = { url, maxRetriesPerRequest: null }
  const queue = new Queue('plain', { connection })
  await queue.waitUntilReady()
  const add = await timed(() => atOnce(ADDERS, () => queue.add('job', { request }, { jobId: randomUUID() })))
  const work = await timed(async () => {
    let left = JOBS
    let done
    const all = new Promise(resolve => {
      done = resolve
    })
    const worker = new Worker('plain', async () => 'done', { connection, concurrency: WORKERS })
    worker.on('completed', () => --left === 0 && done())
    await all
    await worker.close()
  })
  await queue.close()
  return { add, work }
}

async function engine(url) {
  const jobs = bullmq(url, { logger: { warn() {} } })
  await jobs.open()
  const job = () => ({ id: randomUUID(), task: 'POST /reports', owner: undefined, request, fingerprint: 'f', ...REST })
  const REST = { due: Date.now(), priority: 0, keys: [], limit: 1_000_000 }
  const add = await timed(() => atOnce(ADDERS, () => jobs.add(job())))
  const work = await timed(() =>
    Promise.all(
      Array.from({ length: WORKERS }, async () => {
        for (let claim = await take(jobs); claim; claim = await take(jobs))
          await jobs.finish(claim, 'succeeded', 'done', 86_400_000)
      }),
    ),
  )
  await jobs.close()
  return { add, work }
}

function take(jobs) {
  return jobs.claim('POST /reports', 30_000)
}

async function atOnce(count, use) {
  let left = JOBS
  await Promise.all(
    Array.from({ length: count }, async () => {
      while (left-- > 0) await use()
    }),
  )
}

async function timed(use) {
  const start = performance.now()
  await use()
  return Math.round((JOBS * 1000) / (performance.now() - start))
}

function report(disk, what, { add, work }) {
  console.log(
    `${disk.padEnd(20)}${what.padEnd(14)}${String(add).padStart(7)} added/s${String(work).padStart(8)} done/s`,
  )
}

async function withRedis(settings, use) {
  const dir = mkdtempSync(join(tmpdir(), 'kolba-bench-'))
  const own = ['--port', `${PORT}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '']
  const child = spawn('redis-server', [...own, ...settings], { stdio: 'ignore' })
  const redis = new Redis(PORT, { maxRetriesPerRequest: null })
  redis.on('error', () => {})
  try {
    await redis.ping()
    await use(`redis://127.0.0.1:${PORT}`)
  } finally {
    redis.disconnect()
    child.kill()
    await sleep(200)
    rmSync(dir, { recursive: true, force: true })
  }
}
