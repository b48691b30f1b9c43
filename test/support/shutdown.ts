// An app in a process of its own, which tells its parent what happens. The signals are for `server.test.ts`.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { kolba } from 'kolba'
import { keepErrors } from './log.ts'

const tell = (word: unknown) => process.send?.(word)

process.once('SIGTERM', () => tell('SIGTERM'))
process.once('SIGINT', () => tell('SIGINT'))

const { logger } = keepErrors()
const app = kolba({ logger, timeouts: { drain: Number(process.argv[2]) } })
app.onStop(async () => {
  await new Promise(setImmediate)
  tell('stopped')
})
app.get('/', () => 'quick')
app.get('/slow', async () => {
  tell('slow')
  await once(process, 'message')
  return 'done'
})
const server = app.listen(0, '127.0.0.1', () => tell((server.address() as AddressInfo).port))
