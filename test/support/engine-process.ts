// A process that works on the jobs of a file, and adds some where it is told to. What it was told by the engine it writes
// down, a line each, in a file of its own: `added`, `began` with the attempt, and `finished`.
import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { newJob } from './new-job.js'
import { root } from './root.js'

const { sqlite } = (await import(
  pathToFileURL(join(root, 'dist/extensions/jobs/sqlite.js')).href
)) as typeof import('../../dist/extensions/jobs/sqlite.js')

const [file = '', ledger = '', adding = '0', lease = '30000'] = process.argv.slice(2)
const engine = sqlite(file)
await engine.open()

const note = (...words: unknown[]) => appendFileSync(ledger, `${words.join(' ')}\n`)

async function add(): Promise<void> {
  for (;;) {
    const added = await engine.add(newJob({ id: randomUUID(), request: 'x'.repeat(300) }))
    if (added !== 'full') note('added', added.job.id)
  }
}

async function work(): Promise<void> {
  for (;;) {
    const claim = await engine.claim('POST /reports', Number(lease))
    if (!claim && adding === '0') return
    if (!claim) {
      await sleep(2)
      continue
    }
    const { id, attempts } = claim.job
    note('began', id, attempts)
    if (await engine.finish(claim, 'succeeded', `by ${process.pid}`, 86_400_000)) note('finished', id)
  }
}

// Whoever started it may have ended without a word.
process.once('disconnect', () => process.exit())
process.send?.('ready')
if (adding === '0') process.once('message', () => run())
else void run()

async function run(): Promise<void> {
  await Promise.all([...Array.from({ length: Number(adding) }, add), ...Array.from({ length: 5 }, work)])
  await engine.close()
  process.exit()
}
