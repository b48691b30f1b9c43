// How much heap so many clients take: in a process of its own, with --expose-gc. Says bytes.
import { kolba } from 'kolba'
import { rateLimit } from 'kolba/rate-limit'

const [count = '', kind] = process.argv.slice(2)
const { gc } = globalThis as unknown as { gc: () => void }
const app = kolba()
const run = rateLimit('100/min')(() => 'ok')
const res = { getHeader: () => undefined }
const set = () => {}

function request(index: number): unknown {
  const address = `2001:db8:${(index >> 16).toString(16)}:${(index & 65_535).toString(16)}::1`
  const user = kind === 'user' ? { iss: 'https://login.example.com/', sub: `${index}`.padStart(36, '0') } : undefined
  return { app, req: { headers: {} }, ip: address, res, set, user }
}

function heap(): number {
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

run(request(-1) as never)
const before = heap()
for (let index = 0; index < Number(count); index += 1) run(request(index) as never)
const bytes = heap() - before
// So that nothing of it is collected before.
run(request(-1) as never)
process.send?.(bytes)
