import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { jsonType } from '../shared/hono.js'

export const title = 'hono'
export const packages = ['hono', '@hono/node-server']

const app = new Hono()

app.get('/json', c => c.json({ hello: 'world' }, 200, jsonType))
app.get('/users/:id', c => c.json({ id: c.req.param('id') }, 200, jsonType))

export default serve({ fetch: app.fetch, port: 0 })
