import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { jsonType } from '../../shared/hono.js'
import { timing } from '../../shared/timing.js'

export const title = 'hono, app.use'
export const packages = ['hono', '@hono/node-server']

const app = new Hono()

app.use(async (_c, next) => {
  const start = performance.now()
  await next()
  timing.add(performance.now() - start)
})
app.use(async (c, next) => {
  await next()
  c.header('X-Content-Type-Options', 'nosniff')
})
app.use(async (c, next) => {
  c.set('by', 'bench')
  await next()
})
app.get('/json', c => c.json({ hello: 'world' }, 200, { ...jsonType, 'X-By': c.get('by') }))

export default serve({ fetch: app.fetch, port: 0 })
