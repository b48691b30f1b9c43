import Router from '@koa/router'
import Koa from 'koa'
import { middlewares } from '../../shared/timing.js'

export const title = 'koa + @koa/router, app.use'
export const packages = ['koa', '@koa/router']

const app = new Koa()
const router = new Router()

for (const middleware of middlewares) app.use(middleware)
router.get('/json', ctx => {
  ctx.set('X-By', ctx.state.by)
  ctx.body = { hello: 'world' }
})
app.use(router.routes()).use(router.allowedMethods())

export default app.listen(0)
