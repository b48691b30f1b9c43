// What it costs to find a route: app.match() with 10, 100 and 1,000 routes, beside @koa/router alone, which tries its
// layers one after another. Nanoseconds of processor time, the least of rounds that take turns.
// `npm run build && node bench/routes.js`
import Router from '@koa/router'
import { kolba } from '../dist/src/index.js'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
/** A resource has 20 routes: four paths, with and without parameters, and five methods. */
const PATHS = [
  { tail: '', kind: 'no parameter' },
  { tail: '/:id', kind: 'one parameter' },
  { tail: '/parts/all', kind: 'no parameter' },
  { tail: '/:id/parts/:part', kind: 'two parameters' },
]
const ROUNDS = 15
const CALLS = 50_000

const ways = [10, 100, 1000].flatMap(size => {
  const { app, router, requests } = tableOf(size)
  const kinds = [...new Set(requests.map(({ kind }) => kind))]
  return kinds.map(kind => ({
    row: { routes: size, kind, 'kolba ns': Number.POSITIVE_INFINITY, '@koa/router ns': Number.POSITIVE_INFINITY },
    kolba: (method, path) => app.match(method, path),
    alone: (method, path) => router.match(path, method),
    requests: requests.filter(it => it.kind === kind),
    alongside: Math.ceil((CALLS * 10) / size / 4),
  }))
})
for (let round = 0; round < ROUNDS; round += 1) {
  for (const { row, kolba, alone, requests, alongside } of ways) {
    const nothing = time(requests, (_method, path) => path, CALLS)
    keepLeast(row, 'kolba ns', time(requests, kolba, CALLS) - nothing)
    keepLeast(row, '@koa/router ns', time(requests, alone, alongside) - nothing)
  }
}
console.table(ways.map(({ row }) => row))

function tableOf(size) {
  const app = kolba()
  const router = new Router({ sensitive: true })
  const requests = []
  const ask = (kind, method, path) => requests.push({ kind, method, bytes: Buffer.from(path) })
  for (let index = 0; index < size; index += 1) {
    const resource = `/r${Math.floor(index / 20)}`
    const { tail, kind } = PATHS[index % PATHS.length]
    const method = METHODS[index % METHODS.length]
    app.route(method, resource + tail, () => null)
    router.register(resource + tail, [method], () => {})
    ask(
      kind,
      method,
      (resource + tail).replace(/:\w+/g, () => 1000 + ((index * 7919) % 9000)),
    )
    if (index % 20 === 0) ask('no route: 404', method, `${resource}/1/2/3`)
    if (index % 20 === 0) ask('no such method: 405', 'PROPFIND', resource)
  }
  return { app, router, requests }
}

/** Nanoseconds of a call. Each path is a new string, as a request's is: one that was looked up before has its hash. */
function time(requests, call, count) {
  let answers = 0
  const start = process.cpuUsage()
  for (let index = 0; index < count; index += 1) {
    const { method, bytes } = requests[index % requests.length]
    if (call(method, bytes.latin1Slice())) answers += 1
  }
  const { user, system } = process.cpuUsage(start)
  if (answers < count) throw new Error('bench routes: a call gave nothing. Look at the requests.')
  return ((user + system) * 1000) / count
}

function keepLeast(row, column, nanoseconds) {
  row[column] = Math.min(row[column], Math.round(nanoseconds))
}
