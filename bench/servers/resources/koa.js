import Router from '@koa/router'
import Koa from 'koa'
import { answer, routes } from '../../shared/routes.js'

export const title = 'koa + @koa/router'
export const packages = ['koa', '@koa/router']

const app = new Koa()
const router = new Router()

for (const route of routes()) {
  router.register(route.path, [route.method], ctx => {
    ctx.body = answer(route, ctx.params)
  })
}
app.use(router.routes()).use(router.allowedMethods())

export default app.listen(0)
