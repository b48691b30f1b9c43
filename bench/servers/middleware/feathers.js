import { feathers } from '@feathersjs/feathers'
import { errorHandler, koa, rest } from '@feathersjs/koa'
import { middlewares } from '../../shared/timing.js'

export const title = 'feathers on koa, app.use'
export const packages = ['@feathersjs/feathers', '@feathersjs/koa']

const app = koa(feathers())
app.use(errorHandler())
for (const middleware of middlewares) app.use(middleware)
// What Koa keeps for a request reaches a service by ctx.feathers, and a header leaves by a hook.
app.use((ctx, next) => {
  ctx.feathers = { ...ctx.feathers, by: ctx.state.by }
  return next()
})
app.configure(rest())

app.use('json', { find: async () => ({ hello: 'world' }) })
app.service('json').hooks({
  after: {
    find: [
      async context => {
        context.http = { headers: { 'X-By': context.params.by } }
      },
    ],
  },
})

export default await app.listen(0)
