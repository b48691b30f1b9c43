// A server in a process of its own, for the tests of idempotent() over Redis: POST /orders has one effect, which Redis
// counts, and waits before it where PAUSE says for how many milliseconds.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { created, kolba } from 'kolba'
import { body } from 'kolba/body'
import { idempotent, redisStore } from 'kolba/idempotency'
import { json } from 'kolba/json'

const { REDIS = '', PREFIX = '', LEASE = '60', PAUSE = '0' } = process.env
const redis = new Redis(REDIS)
const app = kolba()
const once = idempotent({ required: true, lease: Number(LEASE), store: redisStore(redis, { prefix: PREFIX }) })

app.post('/orders', once, json(), body(), async ctx => {
  await redis.incr(`${PREFIX}begun`)
  await sleep(Number(PAUSE))
  const id = await redis.incr(`${PREFIX}effects`)
  return created(`/orders/${id}`, { id, of: process.pid, body: ctx.input.body })
})

app.onStop(() => redis.quit())
app.listen(3000)
