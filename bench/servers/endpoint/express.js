import express from 'express'
import { expressjwt } from 'express-jwt'
import { rateLimit } from 'express-rate-limit'
import { AUDIENCE, CACHE_CONTROL, KEY, LIMIT, pageOf, readQuery } from '../../shared/endpoint.js'
import { find } from '../../shared/source.js'

export const title = 'express, express-jwt, express-rate-limit, its own ETag'
export const packages = ['express', 'express-jwt', 'express-rate-limit']

const app = express().disable('x-powered-by')

app.use(expressjwt({ secret: KEY, audience: AUDIENCE, algorithms: ['HS256'] }))
app.use(
  rateLimit({
    windowMs: 60_000,
    limit: LIMIT,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    keyGenerator: req => req.auth.sub,
  }),
)
app.get('/products', async (req, res) => {
  const wanted = readQuery(req.query)
  if (!wanted) return res.status(400).json({ error: 'Bad Request' })
  const { link, body } = pageOf(await find(wanted), wanted, req.originalUrl, req.get('Host'))
  res.set({ Link: link, 'Cache-Control': CACHE_CONTROL }).json(body)
})
app.use((error, _req, res, _next) => {
  res.status(error.status ?? 500).json({ error: error.message })
})

export default app.listen(0)
