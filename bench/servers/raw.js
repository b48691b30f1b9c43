import http from 'node:http'

export const title = 'raw node:http'
export const packages = []

function send(res, status, value) {
  const body = JSON.stringify(value)
  res
    .writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) })
    .end(body)
}

export default http
  .createServer((req, res) => {
    if (req.method === 'GET' && req.url === '/json') return send(res, 200, { hello: 'world' })
    if (req.method === 'GET' && req.url.startsWith('/users/')) return send(res, 200, { id: req.url.slice(7) })
    send(res, 404, { error: 'Not Found' })
  })
  .listen(0)
