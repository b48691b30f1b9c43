import { feathers } from '@feathersjs/feathers'
import { errorHandler, koa, rest } from '@feathersjs/koa'

export const title = 'feathers on koa'
export const packages = ['@feathersjs/feathers', '@feathersjs/koa']

const app = koa(feathers())
app.use(errorHandler())
app.configure(rest())

app.use('json', { find: async () => ({ hello: 'world' }) })
app.use('users', { get: async id => ({ id }) })

export default await app.listen(0)
