// A process of its own with an app that counts in Redis: sends so many requests to it at once, when it is told to, and
// says how many were let through.
import { Redis } from 'ioredis'
import { kolba } from 'kolba'
import { type Algorithm, rateLimit, redisStore } from 'kolba/rate-limit'

const [server = '', prefix = '', algorithm, count] = process.argv.slice(2)
const redis = new Redis(server)
const app = kolba({ signals: false })
const store = redisStore(redis, { prefix })
app.get('/', rateLimit({ limit: 100, per: 'hour', algorithm: algorithm as Algorithm, store }), () => 'ok')

const client = app.client()
await app.start()
process.once('message', async () => {
  const all = await Promise.all(Array.from({ length: Number(count) }, () => client.get('/')))
  process.send?.(all.map(({ status }) => status))
  redis.disconnect()
  process.disconnect()
})
process.send?.('ready')
