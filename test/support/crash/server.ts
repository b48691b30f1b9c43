// The server that is killed: it takes orders, makes jobs of them, and does jobs. It writes into the ledger when it begins
// one and when it has done one, and tells its parent where it listens.
import { open } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { kolba } from 'kolba'
import { body } from 'kolba/body'
import { jobs } from 'kolba/jobs'
import { json } from 'kolba/json'
import { type EngineName, engineOf } from './engines.js'
import type { Order } from './orders.js'

const { ENGINE = '', PLACE = '', LEDGER = '', EFFECTS = '', LEASE = '1', PAUSE = '10' } = process.env
// Nobody is left behind where the one who would kill it has ended.
process.once('disconnect', () => process.exit())

const ledger = await open(LEDGER, 'a')
const logger = { info() {}, warn() {}, error: console.error }
const app = kolba({ logger })
const work = jobs({
  engine: engineOf(ENGINE as EngineName, PLACE),
  lease: Number(LEASE),
  principal: ctx => ctx.get('X-Owner') || undefined,
  // What is killed often is not given up.
  retry: { attempts: 1000, delay: 0.05, maxDelay: 0.2 },
})

app.mount('/jobs', work.routes)
app.post('/orders', json(), body(), work.background(), async ctx => {
  const { number, kind } = ctx.input.body as Order
  const { id, attempt } = ctx.job
  await write(`begin ${id} ${attempt} ${number}`)
  await pause()
  if (kind === 'flaky' && attempt === 1) throw new Error('It fails the first time.')
  if (kind === 'failing') throw Object.assign(new Error('It fails each time.'), { retry: false })
  ctx.progress(0.5)
  await haveEffect(id, number)
  await pause()
  await write(`done ${id} ${attempt} ${number}`)
  return { number, attempt }
})

/** What cannot be taken back, at a service that does it once for each key. */
async function haveEffect(id: string, number: number): Promise<void> {
  const response = await fetch(EFFECTS, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': `"${id}"` },
    body: JSON.stringify({ number }),
  })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`The effect was refused with ${response.status}.`)
}

/** On the disk when it is done. */
async function write(line: string): Promise<void> {
  await ledger.write(`${line}\n`)
  await ledger.datasync()
}

async function pause(): Promise<void> {
  await sleep(Math.random() * Number(PAUSE))
}

const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
