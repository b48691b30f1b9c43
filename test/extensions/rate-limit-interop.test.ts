import test from 'ava'
import got from 'got'
import { kolba } from 'kolba'
import { rateLimit } from 'kolba/rate-limit'
import ky from 'ky'
import { MemoryLogger } from '../support/memory-logger.js'

const clock = { now: 1_700_000_000_000 }
Date.now = () => clock.now

/** A server that lets two requests through in 7 s, and what it has answered. */
function serve() {
  const app = kolba({ logger: new MemoryLogger() })
  const answers: number[] = []
  app.get('/', rateLimit({ limit: 2, per: 7 }), () => ({ fine: true }))
  app.after(ctx => void answers.push(ctx.status))
  const server = app.listen(0)
  const { port } = server.address() as { port: number }
  return { answers, url: `http://127.0.0.1:${port}/`, close: () => app.close() }
}

test.serial('got waits as long as Retry-After says, and is let through', async t => {
  const { answers, url, close } = serve()
  const waits: (number | undefined)[] = []
  const client = got.extend({
    retry: {
      limit: 3,
      calculateDelay({ retryAfter, computedValue }) {
        if (computedValue === 0) return 0
        waits.push(retryAfter)
        // It would wait so long; here the server's clock goes on instead.
        clock.now += computedValue
        return 1
      },
    },
  })
  for (let index = 0; index < 5; index += 1) t.deepEqual(await client(url).json(), { fine: true })
  t.deepEqual(answers, [200, 200, 429, 200, 200, 429, 200])
  t.deepEqual(waits, [7000, 7000])
  await close()
})

test.serial('ky waits as long as Retry-After says, and is let through', async t => {
  const { answers, url, close } = serve()
  const { setTimeout } = globalThis
  const waits: number[] = []
  globalThis.setTimeout = ((run: () => void, ms = 0, ...args: []) => {
    if (ms < 5000) return setTimeout(run, ms, ...args)
    waits.push(ms)
    return setTimeout(() => {
      clock.now += ms
      run()
    }, 1)
  }) as typeof setTimeout
  try {
    const client = ky.create({ retry: { limit: 3 }, timeout: false })
    for (let index = 0; index < 5; index += 1) t.deepEqual(await client.get(url).json(), { fine: true })
  } finally {
    globalThis.setTimeout = setTimeout
  }
  t.deepEqual(answers, [200, 200, 429, 200, 200, 429, 200])
  t.deepEqual(waits, [7000, 7000])
  await close()
})

test.serial('got without retries has the problem, and ky too', async t => {
  const { url, close } = serve()
  for (let index = 0; index < 2; index += 1) await got(url)
  const response = await got(url, { retry: { limit: 0 }, throwHttpErrors: false, responseType: 'json' })
  t.is(response.statusCode, 429)
  t.is(response.headers['retry-after'], '7')
  t.like(response.body as object, { status: 429, 'violated-policies': ['default'] })
  const other = await ky.get(url, { retry: 0, throwHttpErrors: false })
  t.like((await other.json()) as object, { status: 429, detail: 'At most 2 in 7 s are allowed. Try again in 7 s.' })
  await close()
})
