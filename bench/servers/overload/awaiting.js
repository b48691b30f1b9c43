// Waits for something else first, 10 ms, and keeps the processor busy for 1.5 ms then, when it has long been let in.
import { setTimeout as sleep } from 'node:timers/promises'
import { kolba } from 'kolba'
import { overload } from 'kolba/overload'

export const title = 'waiting, then computing'
export const packages = ['kolba']

const app = kolba()
if (!process.env.BENCH_UNPROTECTED) app.use(overload())
app.get('/products', async () => {
  await sleep(10)
  const { user } = process.cpuUsage()
  while (process.cpuUsage().user - user < 1500);
  return 'ok'
})

export default app.listen(0)
