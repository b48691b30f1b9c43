import http from 'node:http'
import { answer, routes } from '../../shared/routes.js'

export const title = 'raw node:http, maps by hand'
export const packages = []

// By method and by the segments that are literal; a parameter is a star. Two looks at a map find a static route or one
// with parameters, because a resource has no literal where it has a parameter of the same depth but in the second place.
const table = new Map(routes().map(route => [`${route.method} ${route.path.replace(/:\w+/g, '*')}`, route]))

function find(method, url) {
  const [, resource, id, items, item] = url.split('/')
  const literal = table.get(`${method} ${url}`)
  if (literal) return [literal, {}]
  const star = `${method} /${resource}/*${items ? `/${items}` : ''}${item ? '/*' : ''}`
  return [table.get(star), item ? { id, item } : { id }]
}

export default http
  .createServer((req, res) => {
    const [route, params] = find(req.method, req.url)
    const body = JSON.stringify(route ? answer(route, params) : { error: 'Not Found' })
    const length = Buffer.byteLength(body)
    const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': length }
    res.writeHead(route ? 200 : 404, headers).end(body)
  })
  .listen(0)
