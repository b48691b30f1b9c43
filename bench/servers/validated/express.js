import express from 'express'
import { summaryOf } from '../../shared/order.js'
import { order } from '../../shared/order-zod.js'

export const title = 'express, express.json(), zod'
export const packages = ['express', 'zod']

const app = express().disable('x-powered-by').disable('etag')

app.use(express.json())
app.post('/orders', (req, res) => {
  const { success, data, error } = order.safeParse(req.body)
  if (!success) return res.status(422).json({ errors: error.issues })
  res.status(201).location('/orders/1').json(summaryOf(data))
})
app.use((error, _req, res, _next) => {
  res.status(error.status ?? 500).json({ error: error.message })
})

export default app.listen(0)
