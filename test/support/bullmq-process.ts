// A process that takes up jobs over BullMQ until it is killed: `node bullmq-process.js URL PREFIX LEDGER LEASE`. What a
// job does is a line in the ledger, which is on disk before the job is told to be done.
import { fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { root } from './root.js'

const [url = '', prefix = '', ledger = '', lease = ''] = process.argv.slice(2)
const file = pathToFileURL(join(root, 'dist/extensions/jobs/bullmq.js')).href
const { bullmq } = (await import(file)) as typeof import('../../dist/extensions/jobs/bullmq.js')

const log = openSync(ledger, 'a')
const silent = { info() {}, warn() {}, error() {} }
const engine = bullmq(url, { prefix, timeout: 2, logger: silent })

async function work(): Promise<void> {
  for (;;) {
    try {
      await workOnce()
    } catch {
      // Redis may be away, as it is killed too.
      await sleep(50)
    }
  }
}

async function workOnce(): Promise<void> {
  const claim = await engine.claim('crash', Number(lease))
  if (!claim) return void (await sleep(20))
  const { id, attempts } = claim.job
  const chance = Math.random()
  if (chance < 0.05) return void (await engine.release(claim))
  if (chance < 0.1) return void (await engine.retry(claim, Date.now() + 50))
  if (chance < 0.3) await engine.progress(claim, String(attempts))
  writeSync(log, `${id}\n`)
  fsyncSync(log)
  if (await engine.finish(claim, 'succeeded', `${id} ${attempts}`, 3_600_000)) process.send?.(id)
}

for (let tries = 100; ; tries--) {
  try {
    await engine.open()
    break
  } catch (error) {
    if (tries === 0) throw error
    await sleep(50)
  }
}
process.send?.('open')
await Promise.all([work(), work(), work(), work()])
