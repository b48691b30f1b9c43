import { serve } from '@hono/node-server'
import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import { jsonType } from '../../shared/hono.js'
import { summaryOf } from '../../shared/order.js'
import { order } from '../../shared/order-zod.js'

export const title = 'hono, @hono/zod-validator'
export const packages = ['hono', '@hono/node-server', '@hono/zod-validator', 'zod']

const app = new Hono()

app.post('/orders', zValidator('json', order), c =>
  c.json(summaryOf(c.req.valid('json')), 201, { ...jsonType, Location: '/orders/1' }),
)

export default serve({ fetch: app.fetch, port: 0 })
