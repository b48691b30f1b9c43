// 50 resources of 20 static and parametric routes with five methods: the table that every framework registers.
const METHODS_AND_PATHS = [
  ['GET', ''],
  ['POST', ''],
  ['GET', '/recent'],
  ['POST', '/import'],
  ['GET', '/settings'],
  ['PUT', '/settings'],
  ['PATCH', '/settings'],
  ['DELETE', '/archived'],
  ['GET', '/:id'],
  ['PUT', '/:id'],
  ['PATCH', '/:id'],
  ['DELETE', '/:id'],
  ['GET', '/:id/history'],
  ['POST', '/:id/archive'],
  ['GET', '/:id/items'],
  ['POST', '/:id/items'],
  ['GET', '/:id/items/:item'],
  ['PUT', '/:id/items/:item'],
  ['PATCH', '/:id/items/:item'],
  ['DELETE', '/:id/items/:item'],
]
/** The ten of the small table: half of each kind of path, and of the methods as nearly as halves go. */
const TEN = new Set([0, 3, 6, 7, 8, 9, 12, 15, 16, 19])

/** How many routes the server of this process has: 10 or 1,000. */
export const count = Number(process.env.BENCH_ROUTES ?? 1000)

/** @returns `{ resource, method, path }` of 10 or 1,000 routes; `path` as koa, express, fastify, hono and kolba write it. */
export function routes(total = count) {
  const resources = Array.from({ length: total === 10 ? 1 : total / 20 }, (_, index) => `resource-${index + 1}`)
  return resources.flatMap(resource =>
    METHODS_AND_PATHS.filter((_, index) => total !== 10 || TEN.has(index)).map(([method, path]) => ({
      resource,
      method,
      path: `/${resource}${path}`,
    })),
  )
}

/** What a route answers: where it was found, and what its path had. */
export function answer({ method, path }, params) {
  return { route: `${method} ${path}`, params: { ...params } }
}

/** One request for each route, in an order that jumps from resource to resource. */
export function requestsOver(total) {
  const all = routes(total)
  return all.map((_, index) => {
    const route = all[(index * 7919) % all.length]
    const params = { id: String(index), item: String(index + 1) }
    const names = route.path.match(/(?<=:)\w+/g) ?? []
    const path = names.reduce((text, name) => text.replace(`:${name}`, params[name]), route.path)
    const given = Object.fromEntries(names.map(name => [name, params[name]]))
    return { method: route.method, path, expect: JSON.stringify(answer(route, given)) }
  })
}
