import express from 'express'
import { timing } from '../../shared/timing.js'

export const title = 'express, app.use'
export const packages = ['express']

const app = express().disable('x-powered-by').disable('etag')

app.use((_req, res, next) => {
  const start = performance.now()
  res.on('finish', () => timing.add(performance.now() - start))
  next()
})
app.use((_req, res, next) => {
  res.set('X-Content-Type-Options', 'nosniff')
  next()
})
app.use((_req, res, next) => {
  res.locals.by = 'bench'
  next()
})
app.get('/json', (_req, res) => {
  res.set('X-By', res.locals.by).json({ hello: 'world' })
})

export default app.listen(0)
