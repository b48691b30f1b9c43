import { created, kolba } from 'kolba'
import { input } from 'kolba/input'
import { flag, int, list, object, oneOf, optional, text } from 'kolba/schema'
import { summaryOf } from '../../shared/order.js'

export const title = 'kolba, input() with kolba/schema'
export const packages = ['kolba']

const app = kolba()
const line = object({
  article: text({ min: 1, max: 60 }),
  quantity: int({ min: 1, max: 1000 }),
  gift: optional(flag()),
  note: optional(text({ max: 200 })),
})
const order = object({
  customer: text({ min: 1, max: 80 }),
  email: text({ min: 3, max: 200, pattern: /^[^@ ]+@[^@ ]+$/ }),
  currency: oneOf('EUR', 'USD', 'GBP'),
  lines: list(line, { min: 1, max: 50 }),
  comment: optional(text({ max: 1000 })),
})

app.post('/orders', input({ body: order }), ctx => created('/orders/1', summaryOf(ctx.input.body)))

export default app.listen(0)
