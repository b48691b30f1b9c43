import { feathers } from '@feathersjs/feathers'
import { bodyParser, errorHandler, koa, rest } from '@feathersjs/koa'
import { Ajv, getValidator, hooks } from '@feathersjs/schema'
import { orderSchema, summaryOf } from '../../shared/order.js'

export const title = 'feathers on koa, its validator'
export const packages = ['@feathersjs/feathers', '@feathersjs/koa', '@feathersjs/schema']

const app = koa(feathers())
app.use(errorHandler())
app.use(bodyParser())
app.configure(rest())

app.use('orders', { create: async order => summaryOf(order) })
app.service('orders').hooks({
  before: { create: [hooks.validateData(getValidator(orderSchema, new Ajv()))] },
  after: {
    create: [
      async context => {
        context.http = { status: 201, headers: { Location: '/orders/1' } }
      },
    ],
  },
})

export default await app.listen(0)
