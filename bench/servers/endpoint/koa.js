import etag from '@koa/etag'
import Router from '@koa/router'
import Koa from 'koa'
import conditional from 'koa-conditional-get'
import jwt from 'koa-jwt'
import ratelimit from 'koa-ratelimit'
import { AUDIENCE, CACHE_CONTROL, KEY, LIMIT, pageOf, readQuery } from '../../shared/endpoint.js'
import { find } from '../../shared/source.js'

export const title = 'koa + @koa/router, koa-jwt, koa-ratelimit, @koa/etag'
export const packages = ['koa', '@koa/router', 'koa-jwt', 'koa-ratelimit', 'koa-conditional-get', '@koa/etag']

const app = new Koa()
const router = new Router()

app.use(conditional())
app.use(etag())
app.use(jwt({ secret: KEY, audience: AUDIENCE, algorithms: ['HS256'] }))
app.use(ratelimit({ driver: 'memory', db: new Map(), duration: 60_000, max: LIMIT, id: ctx => ctx.state.user.sub }))
router.get('/products', async ctx => {
  const wanted = readQuery(ctx.query)
  if (!wanted) ctx.throw(400)
  const { link, body } = pageOf(await find(wanted), wanted, ctx.url, ctx.host)
  ctx.set({ Link: link, 'Cache-Control': CACHE_CONTROL })
  ctx.body = body
})
app.use(router.routes()).use(router.allowedMethods())

export default app.listen(0)
