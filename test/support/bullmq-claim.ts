// A process that takes up a job and holds it until it is killed: `node bullmq-claim.js URL TASK LEASE`.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.js'

const [url = '', task = '', lease = ''] = process.argv.slice(2)
const file = pathToFileURL(join(root, 'dist/extensions/jobs/bullmq.js')).href
const { bullmq } = (await import(file)) as typeof import('../../dist/extensions/jobs/bullmq.js')

const engine = bullmq(url)
await engine.open()
const claim = await engine.claim(task, Number(lease))
process.send?.(claim?.job)
setInterval(() => {}, 60_000)
