// A process that is killed just when BullMQ has given it a job, and before it has said for how long it wants to have it:
// `node bullmq-taken.js URL TASK LEASE`.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import { root } from './root.js'

const [url = '', task = '', lease = ''] = process.argv.slice(2)
const file = pathToFileURL(join(root, 'dist/extensions/jobs/bullmq.js')).href
const { bullmq } = (await import(file)) as typeof import('../../dist/extensions/jobs/bullmq.js')

const client = new Redis(url, { maxRetriesPerRequest: null })
const engine = bullmq(client)
await engine.open()
const commands = client as unknown as Record<string, () => void>
const names = Object.keys(commands).filter(name => name.startsWith('extendLock:'))
if (names.length === 0) throw new Error('BullMQ has no command to extend a lock with any more. Write this anew.')
for (const name of names) commands[name] = () => process.kill(process.pid, 'SIGKILL')
await engine.claim(task, Number(lease))
