import express from 'express'
import { answer, routes } from '../../shared/routes.js'

export const title = 'express, a router for each resource'
export const packages = ['express']

const app = express().disable('x-powered-by').disable('etag')

const routers = new Map()
for (const route of routes()) {
  const { resource, method, path } = route
  if (!routers.has(resource)) {
    routers.set(resource, express.Router())
    app.use(`/${resource}`, routers.get(resource))
  }
  const within = path.slice(resource.length + 1) || '/'
  routers.get(resource)[method.toLowerCase()](within, (req, res) => {
    res.json(answer(route, req.params))
  })
}

export default app.listen(0)
