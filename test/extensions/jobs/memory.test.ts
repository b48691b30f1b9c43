import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { newJob } from '../../support/new-job.js'
import { root } from '../../support/root.js'

const { memory } = (await import(
  pathToFileURL(join(root, 'dist/extensions/jobs/memory.js')).href
)) as typeof import('../../../dist/extensions/jobs/memory.js')

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const DAY = 86_400_000

test('memory() keeps nothing of jobs that were cancelled before they were due', async t => {
  const engine = memory()
  const used = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  await engine.add(newJob({ due: Date.now() + DAY }))
  const before = used()
  for (let count = 0; count < 20_000; count++) {
    const job = newJob({ due: Date.now() + 2 * DAY, request: `${count}`.padEnd(1000, ' x') })
    await engine.add(job)
    await engine.cancel(job.id, 0)
    if (count % 500 === 0) await engine.sweep()
  }
  await engine.sweep()
  const more = used() - before
  t.true(more < 10, `${more} MB are left of 20,000 jobs that are gone.`)
  t.is(await engine.waiting('POST /reports'), 1)
})
