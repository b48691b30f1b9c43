import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import { summaryOf } from '../../shared/order.js'
import { order } from '../../shared/order-zod.js'

export const title = 'koa + @koa/router, @koa/bodyparser, zod'
export const packages = ['koa', '@koa/router', '@koa/bodyparser', 'zod']

const app = new Koa()
const router = new Router()

app.use(bodyParser())
router.post('/orders', ctx => {
  const { success, data, error } = order.safeParse(ctx.request.body)
  if (!success) {
    ctx.status = 422
    ctx.body = { errors: error.issues }
    return
  }
  ctx.status = 201
  ctx.set('Location', '/orders/1')
  ctx.body = summaryOf(data)
})
app.use(router.routes()).use(router.allowedMethods())

export default app.listen(0)
