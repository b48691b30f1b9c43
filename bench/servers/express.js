import express from 'express'

export const title = 'express'
export const packages = ['express']

const app = express().disable('x-powered-by').disable('etag')

app.get('/json', (_req, res) => {
  res.json({ hello: 'world' })
})
app.get('/users/:id', (req, res) => {
  res.json({ id: req.params.id })
})

export default app.listen(0)
