import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { jsonType } from '../../shared/hono.js'
import { answer, routes } from '../../shared/routes.js'

export const title = 'hono'
export const packages = ['hono', '@hono/node-server']

const app = new Hono()

for (const route of routes()) app.on(route.method, route.path, c => c.json(answer(route, c.req.param()), 200, jsonType))

export default serve({ fetch: app.fetch, port: 0 })
