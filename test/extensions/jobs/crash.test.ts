// The short form of bench/crash.js: servers are killed while they make jobs and do them, and nothing is lost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Round, type RoundOptions, round } from '../../support/crash/round.js'
import { noOwnRedis } from '../../support/own-redis.js'

const SHORT = { jobs: 40, kills: 2, servers: 2, killsStore: false }

test.serial('jobs() over sqlite() loses none and does none twice where servers are killed', async t => {
  await holds(t, { ...SHORT, engine: 'sqlite', seed: 1 })
})

const OVER_REDIS = 'jobs() over bullmq() loses none and does none twice where servers and Redis are killed'
if (!noOwnRedis) test.serial(OVER_REDIS, t => holds(t, { ...SHORT, engine: 'bullmq', seed: 2, killsStore: true }))
else if (process.env.KOLBA_REQUIRE?.includes('redis')) test(OVER_REDIS, t => t.fail(noOwnRedis))
else test.skip(`${OVER_REDIS} (skipped: ${noOwnRedis})`, t => t.pass())

test.serial('jobs() over memory() loses those of a server that is killed, and the verdict says so', async t => {
  t.timeout(180_000)
  const { verdict, kills } = await inFolder({ ...SHORT, engine: 'memory', seed: 3, jobs: 20, kills: 1, servers: 1 })
  t.true(kills > 0)
  t.true(verdict.lost.length > 0)
  t.regex(String(verdict.lost[0]), /^[\w-]{36} was accepted and is not there\.$/)
})

async function holds(t: ExecutionContext, options: Omit<RoundOptions, 'folder'>): Promise<void> {
  t.timeout(180_000)
  const { verdict, wrong, kills, stores, accepted, unaccepted, ended, again, begunAgain } = await inFolder(options)
  t.true(kills + stores >= options.kills - 1)
  t.deepEqual(verdict, {
    lost: [],
    twoFinals: [],
    withoutEffect: [],
    duplicateJobs: [],
    duplicateEffects: [],
    miscounted: [],
  })
  t.deepEqual(wrong, [])
  // Those that their client has left alone may be there or not.
  t.true(accepted > options.jobs * 0.7 && accepted + unaccepted <= options.jobs)
  t.is(Number(ended.succeeded) + Number(ended.failed) + Number(ended.cancelled), accepted)
  t.true(Number(ended.succeeded) > 0 && again >= begunAgain)
}

async function inFolder(options: Omit<RoundOptions, 'folder'>): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-crash-'))
  const its = await round({ ...options, folder })
  const isWell = its.wrong.length + Object.values(its.verdict).flat().length === 0
  // What was found wrong is to be looked into.
  if (isWell || options.engine === 'memory') rmSync(folder, { recursive: true, maxRetries: 5 })
  return its
}
