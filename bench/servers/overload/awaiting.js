// Waits for something else first, 10 ms, and then keeps the processor busy, when it has long been let in.
import { setTimeout as sleep } from 'node:timers/promises'
import { kolba } from 'kolba'
import { overload } from 'kolba/overload'
import { products } from '../../shared/endpoint.js'

export const title = 'waiting, then computing'
export const packages = ['kolba']

const rows = Array.from({ length: 4 }, () => products).flat()

const app = kolba()
if (!process.env.BENCH_UNPROTECTED) app.use(overload())
app.get('/products', async () => {
  await sleep(10)
  return JSON.stringify(rows).length
})

export default app.listen(0)
