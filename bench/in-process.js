// Requests that go through app.callback() in this process, with Node's request and response and without a network.
import { EventEmitter } from 'node:events'
import http from 'node:http'
import { kolba } from '../dist/src/index.js'

/** An app with two routes, without the decorators and with them; `plain` is the handler of the first. */
export function appOf({ method = 'GET', above = [], add, below = [], handler, plain = handler, route = '' }) {
  const app = kolba({ logger: silent })
  const paths = ['/without', '/with']
  app.route(method, `/without${route}`, ...above, ...below, plain)
  app.route(method, `/with${route}`, ...above, ...add, ...below, handler)
  return { app, paths }
}

/** @returns a function that sends a request, and resolves with its response when that has ended. */
export function requesterOf(app, { method = 'GET', path, suffix = '', headers = {}, eachHeaders, body }) {
  const handle = app.callback()
  const socket = new Sink()
  const content = body === undefined ? undefined : Buffer.from(body)
  const length = content ? { 'content-length': String(content.length) } : {}
  return () => {
    const req = new http.IncomingMessage(socket)
    const all = { host: 'localhost', ...length, ...headers, ...eachHeaders?.() }
    Object.assign(req, { method, url: path + suffix, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 })
    // As Node's parser hands them over.
    const lines = Object.entries(all).flat()
    req._addHeaderLines(lines, lines.length)
    if (content) req.push(content)
    req.complete = true
    req.push(null)
    const res = new http.ServerResponse(req)
    res.assignSocket(socket)
    return new Promise((resolve, reject) => {
      res.once('finish', () => {
        res.detachSocket(socket)
        resolve(res)
      })
      Promise.resolve(handle(req, res)).catch(reject)
    })
  }
}

/** As much of a socket as Node's response asks for: it takes what is written, forgets it, and is never full. */
class Sink extends EventEmitter {
  remoteAddress = '192.0.2.1'
  remotePort = 4711
  encrypted = false
  readable = false
  writable = true
  destroyed = false
  writableLength = 0
  writableCorked = 0
  _writableState = { corked: 0 }

  write(_chunk, encoding, done = encoding) {
    if (typeof done === 'function') process.nextTick(done)
    return true
  }

  cork() {}
  uncork() {}
  destroy() {}
}

const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, trace() {}, child: () => silent }
