import Router from '@koa/router'
import Koa from 'koa'

export const title = 'koa + @koa/router'
export const packages = ['koa', '@koa/router']

const app = new Koa()
const router = new Router()

router.get('/json', ctx => {
  ctx.body = { hello: 'world' }
})
router.get('/users/:id', ctx => {
  ctx.body = { id: ctx.params.id }
})

app.use(router.routes()).use(router.allowedMethods())

export default app.listen(0)
