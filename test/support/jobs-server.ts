// An app with jobs in a process of its own, which tells its parent what happens.
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { kolba } from 'kolba'
import { jobs, memory } from 'kolba/jobs'
import { keepErrors } from './log.ts'

const tell = (word: unknown) => process.send?.(word)

const { logger } = keepErrors()
const app = kolba({ logger, timeouts: { drain: Number(process.argv[2]) } })
const engine = memory()
const { finish, release } = engine
engine.finish = (...args) => {
  tell(`finish ${args[1]}`)
  return finish(...args)
}
engine.release = claim => {
  tell('release')
  return release(claim)
}
const work = jobs({ engine })
app.mount('/jobs', work.routes)
app.post('/quick', work.background(), async () => {
  tell('begun')
  await sleep(300)
  return 'done'
})
app.post('/endless', work.background(), ctx => {
  ctx.signal.addEventListener('abort', () => tell((ctx.signal.reason as Error).name))
  tell('begun')
  // It heeds nothing, and keeps the process going.
  return new Promise(() => setInterval(() => {}, 1000))
})
app.onStop(() => tell('stopped'))
const server = app.listen(0, '127.0.0.1', () => tell((server.address() as AddressInfo).port))
