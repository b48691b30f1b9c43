// A request that takes some milliseconds of the processor, so that what makes the load takes next to nothing beside it.
import { pbkdf2Sync } from 'node:crypto'
import { kolba } from 'kolba'
import { serve } from 'kolba/serve'

const app = kolba({ logger: { debug() {}, info() {}, warn() {}, error: console.error } })
app.get('/', () => ({ key: pbkdf2Sync('secret', 'salt', 10_000, 32, 'sha256').toString('hex') }))

const service = await serve(app, { workers: Number(process.env.BENCH_WORKERS), port: 0 })
// The primary says where, and ends when the bench does.
if (service) {
  process.send({ port: service.port })
  process.on('disconnect', () => process.exit())
}
