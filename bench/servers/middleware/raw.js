import http from 'node:http'
import { timing } from '../../shared/timing.js'

export const title = 'raw node:http, three functions'
export const packages = []

const timed = next => (req, res) => {
  const start = performance.now()
  next(req, res)
  timing.add(performance.now() - start)
}
const guarded = next => (req, res) => {
  res.setHeader('X-Content-Type-Options', 'nosniff')
  next(req, res)
}
const signed = next => (req, res) => {
  req.by = 'bench'
  next(req, res)
  // Its work after the handler: what was kept for the request is read again.
  if (req.by !== 'bench') throw new Error('the request was lost')
}

function handle(req, res) {
  const body = JSON.stringify({ hello: 'world' })
  res.setHeader('X-By', req.by)
  const length = Buffer.byteLength(body)
  res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': length }).end(body)
}

export default http.createServer(timed(guarded(signed(handle)))).listen(0)
