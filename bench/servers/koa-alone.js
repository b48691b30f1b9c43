import Koa from 'koa'

export const title = 'koa alone, paths by hand'
export const packages = ['koa']

const app = new Koa()

app.use(ctx => {
  if (ctx.method !== 'GET') return
  if (ctx.path === '/json') ctx.body = { hello: 'world' }
  else if (ctx.path.startsWith('/users/')) ctx.body = { id: ctx.path.slice(7) }
})

export default app.listen(0)
