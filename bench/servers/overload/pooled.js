// Does nothing but wait, 20 ms, for one of ten connections to a database that is not there.
import { setTimeout as sleep } from 'node:timers/promises'
import { kolba } from 'kolba'
import { overload } from 'kolba/overload'

export const title = 'waiting for a pool'
export const packages = ['kolba']

const waiting = []
let free = 10

async function query() {
  if (free > 0) free -= 1
  else await new Promise(resolve => waiting.push(resolve))
  await sleep(20)
  const next = waiting.shift()
  if (next) next()
  else free += 1
}

const app = kolba()
if (!process.env.BENCH_UNPROTECTED) app.use(overload({ limit: 20 }))
app.get('/products', async () => {
  await query()
  return 'ok'
})

export default app.listen(0)
