// What a rate limit costs, and a token that was verified before: the decorators by themselves, and in a whole request over
// a connection that stays open, beside the same route without. It fails where a limit in memory adds more than 10
// microseconds to a request, or both together more than 15.
// `npm run build && node bench/limits.js`
import http from 'node:http'
import jwt from 'jsonwebtoken'
import { tokenAuth } from '../dist/extensions/auth.js'
import { memoryStore, rateLimit } from '../dist/extensions/rate-limit.js'
import { decorator, kolba } from '../dist/src/index.js'

const MOST = { limit: 10, both: 15 }
const limit = 10_000_000
const per = 60
const user = { iss: 'https://login.example.com/', sub: 'b3f2c1d0-7c51-4a8e-9a51-0d2f6a1c9e77' }
const signedIn = decorator('signedIn', (_ctx, next) => next({ user }))

const secret = 'a secret of thirty-two bytes, or of more'
const token = jwt.sign({ sub: user.sub, iss: user.iss, aud: 'bench' }, secret, { expiresIn: '1h' })
const authorization = `Bearer ${token}`
const verified = tokenAuth({ secret, issuer: user.iss, audience: 'bench' })

const headers = decorator('headers', (ctx, next) => {
  ctx.set('RateLimit-Policy', '"default";q=10000000;w=60')
  ctx.set('RateLimit', '"default";r=9999999;t=60')
  return next()
})

const ways = {
  bare: [],
  'two headers': [headers],
  'by address': [rateLimit({ limit, per })],
  'by user': [signedIn, rateLimit({ limit, per })],
  'by key': [rateLimit({ limit, per, key: ctx => ['tenant', ctx.method] })],
  'sliding, by user': [signedIn, rateLimit({ limit, per, algorithm: 'sliding' })],
  'gcra, by user': [signedIn, rateLimit({ limit, per, algorithm: 'gcra' })],
  'two, by user': [signedIn, rateLimit({ limit, per }), rateLimit({ limit, per: 'day', name: 'daily' })],
  'a token': [verified],
  'a token, and by user': [verified, rateLimit({ limit, per })],
  'a million clients': [rateLimit({ limit, per, key: clients(), store: memoryStore() })],
}

function clients() {
  let next = 0
  return () => {
    next = (next + 7919) % 1_000_000
    return next
  }
}

const app = kolba()
for (const [name, decorators] of Object.entries(ways))
  app.get(`/${name.replaceAll(/\W+/g, '-')}`, ...decorators, () => 'ok')
const server = app.listen(0)
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

const best = Object.fromEntries(Object.keys(ways).map(name => [name, Number.POSITIVE_INFINITY]))
for (let round = 0; round < 15; round += 1) {
  for (const name of Object.keys(ways))
    best[name] = Math.min(best[name], await time(`/${name.replaceAll(/\W+/g, '-')}`))
}
const rows = Object.entries(best).map(([way, its]) => ({
  way,
  'alone µs': Number(alone(ways[way]).toFixed(2)),
  'request µs': Number(its.toFixed(1)),
  'more µs': Number((its - best.bare).toFixed(1)),
  ratio: Number((its / best.bare).toFixed(3)),
}))
console.table(rows)
agent.destroy()
await app.close()

const most = ({ way }) => (ways[way].includes(verified) ? MOST.both : MOST.limit)
const dear = rows.filter(row => row['alone µs'] - rows[0]['alone µs'] > most(row))
for (const row of dear) console.log(`${row.way}: it takes more than ${most(row)} microseconds.`)
if (dear.length > 0) process.exitCode = 1

/** Microseconds of a request, one after the other. */
async function time(path) {
  const count = 500
  const start = performance.now()
  for (let index = 0; index < count; index += 1)
    await get({ agent, port: server.address().port, path, headers: { authorization } })
  return ((performance.now() - start) / count) * 1000
}

function get(options) {
  return new Promise((resolve, reject) => {
    http
      .get(options, response => {
        response.resume()
        response.on('end', resolve)
      })
      .on('error', reject)
  })
}

/** Microseconds of the stack by itself, with a context that has what it looks at; the best of some rounds. */
function alone(decorators) {
  const run = decorators.reduceRight(
    (handler, decorator) => decorator(handler),
    () => 'ok',
  )
  const headers = new Map()
  const ctx = {
    app,
    req: { headers: { authorization }, headersDistinct: { authorization: [authorization] }, rawHeaders: [] },
    state: {},
    ip: '192.0.2.1',
    method: 'GET',
    res: { getHeader: name => headers.get(name), setHeader: (name, value) => headers.set(name, value) },
    set: (name, value) => headers.set(name, value),
  }
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 20; round += 1) {
    const start = performance.now()
    for (let index = 0; index < 20_000; index += 1) {
      headers.clear()
      run(ctx)
    }
    least = Math.min(least, ((performance.now() - start) / 20_000) * 1000)
  }
  return least
}
