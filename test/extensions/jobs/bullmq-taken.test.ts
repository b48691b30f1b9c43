import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { forked } from '../../support/forked.js'
import { newJob } from '../../support/new-job.js'
import { noOwnRedis, startRedis } from '../../support/own-redis.js'
import { root } from '../../support/root.js'

const url = pathToFileURL(join(root, 'dist/extensions/jobs/bullmq.js')).href
const { bullmq } = (await import(url)) as typeof import('../../../dist/extensions/jobs/bullmq.js')

const TITLE =
  'bullmq: a job of a process that was killed as it took it up is given on soon, and not after half a minute'
if (noOwnRedis && process.env.KOLBA_REQUIRE?.includes('redis')) test(TITLE, t => t.fail(noOwnRedis))
else if (noOwnRedis) test.skip(`${TITLE} (skipped: ${noOwnRedis})`, t => t.pass())
else
  test(TITLE, async t => {
    const redis = await startRedis()
    const engine = bullmq(redis.url)
    try {
      await engine.open()
      const job = newJob({ task: 'taken' })
      await engine.add(job)
      const child = forked(new URL('../../support/bullmq-taken.js', import.meta.url), [redis.url, 'taken', '1000'])
      const [code, signal] = await once(child, 'exit')
      t.deepEqual([code, signal], [null, 'SIGKILL'])
      t.like(await engine.get(job.id), { state: 'running', attempts: 1 })
      const start = Date.now()
      let claim = await engine.claim('taken', 1000)
      while (!claim && Date.now() < start + 40_000) {
        await new Promise(resolve => setTimeout(resolve, 50))
        claim = await engine.claim('taken', 1000)
      }
      t.like(claim?.job, { id: job.id, attempts: 2, failures: 1 })
      t.true(Date.now() - start < 15_000, `It took ${Date.now() - start} ms.`)
    } finally {
      await engine.close()
      await redis.remove()
    }
  })
