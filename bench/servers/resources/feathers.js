import { feathers } from '@feathersjs/feathers'
import { errorHandler, koa, rest } from '@feathersjs/koa'
import { answer, routes } from '../../shared/routes.js'

export const title = 'feathers on koa'
export const packages = ['@feathersjs/feathers', '@feathersjs/koa']

const app = koa(feathers())
app.use(errorHandler())
app.configure(rest())

// A service for each path. What ends in a parameter belongs to the service above, as get, update, patch and remove.
const WITH_ID = { GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'remove' }
const WITHOUT = { GET: 'find', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'remove' }
const services = new Map()
for (const route of routes()) {
  const [, base, last] = /^(.*?)(?:\/:(id|item))?$/.exec(route.path)
  const method = (last ? WITH_ID : WITHOUT)[route.method]
  const service = services.get(base) ?? {}
  services.set(base, Object.assign(service, { [method]: last ? byId(route, last) : all(route) }))
}
for (const [path, service] of services) {
  app.use(path.slice(1), service, { methods: Object.keys(service) })
  if (service.create) app.service(path.slice(1)).hooks({ after: { create: [answer200] } })
}

/** The last of what a method is given is its params, and these have what stands in the path before its id. */
function byId(route, name) {
  return async (id, ...rest) => answer(route, { ...rest.at(-1).route, [name]: id })
}

function all(route) {
  return async (...given) => answer(route, given.at(-1).route)
}

async function answer200(context) {
  context.http = { status: 200 }
}

export default await app.listen(0)
