import { randomUUID } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { conformance } from '../../support/engine-suite.js'
import { postgres } from '../../support/postgres.js'
import { redis } from '../../support/redis.js'
import { root } from '../../support/root.js'

const url = pathToFileURL(join(root, 'dist/extensions/jobs/bullmq.js')).href
const { bullmq } = (await import(url)) as typeof import('../../../dist/extensions/jobs/bullmq.js')

conformance('bullmq on Redis', {
  store() {
    const prefix = `kolba-test-${randomUUID()}`
    return { engine: () => bullmq(redis.url, { prefix }), remove: () => redis.clear(prefix) }
  },
  isShared: true,
  order: 'any',
  runs: Number(process.env.RUNS ?? 25),
  skip: redis.reason,
  needs: 'redis',
})

conformance('bullmq on PostgreSQL', {
  store() {
    const prefix = `kolba_${randomUUID().replaceAll('-', '')}`
    return { engine: () => bullmq(postgres.url, { prefix }), remove: () => postgres.clear(prefix) }
  },
  isShared: true,
  order: 'any',
  runs: Number(process.env.RUNS ?? 15),
  skip: postgres.reason,
  needs: 'postgres',
})
