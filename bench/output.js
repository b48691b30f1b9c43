// What it costs to let out only what is declared: an order of 1 KB, and a list of 100 of them. The value pruned and
// written by JSON.stringify; that with the check, as output() does it; a serializer compiled by fast-json-stringify,
// which leaves out what is undeclared by itself; and zod's parse with JSON.stringify.
// `npm run build && npm install --prefix bench && node bench/output.js`
import http from 'node:http'
import fastJson from 'fast-json-stringify'
import { z } from 'zod'
import { output } from '../dist/extensions/output.js'
import { flag, int, list, object, optional, text } from '../dist/extensions/schema.js'
import { kolba } from '../dist/src/index.js'
import { pruner } from '../dist/src/schema/prune.js'
import { readRefs } from '../dist/src/schema/references.js'

const line = index => ({ article: `article-${index}-${'x'.repeat(40)}`, quantity: index + 1, gift: index % 2 === 0 })
const declared = id => ({
  id,
  customer: 'Ada Lovelace',
  note: 'Please ring twice. '.repeat(5),
  address: { street: 'St James Square 12', city: 'London', zip: 'SW1Y 4JH' },
  lines: Array.from({ length: 8 }, (_, index) => line(index)),
})
const more = it => ({ ...it, password: 'x'.repeat(20), lines: it.lines.map(line => ({ ...line, cost: 5 })) })

const own = object({
  id: int(),
  customer: text(),
  note: optional(text()),
  address: object({ street: text(), city: text(), zip: text() }),
  lines: list(object({ article: text(), quantity: int(), gift: flag() })),
})
const withZod = z.object({
  id: z.int(),
  customer: z.string(),
  note: z.string().optional(),
  address: z.object({ street: z.string(), city: z.string(), zip: z.string() }),
  lines: z.array(z.object({ article: z.string(), quantity: z.int(), gift: z.boolean() })),
})

const one = declared(7)
const hundred = Array.from({ length: 100 }, (_, index) => declared(index))
const cases = [
  ['1 KB', own, withZod, one],
  ['1 KB, and undeclared properties', own, withZod, more(one)],
  ['100 of 1 KB', list(own), z.array(withZod), hundred],
  ['100 of 1 KB, and undeclared properties', list(own), z.array(withZod), hundred.map(more)],
]

const rows = []
for (const [value, schema, zod, it] of cases) {
  const json = schema['~standard'].jsonSchema.output({ target: 'draft-2020-12' })
  const prune = pruner(json, readRefs('bench', json), 'writeOnly')
  const compiled = fastJson(forFastJson(json))
  const ctx = { app: kolba(), response: { is: () => false } }
  const around = output(schema)(() => it)
  const ways = {
    'JSON.stringify, all of it': () => JSON.stringify(it),
    'prune + JSON.stringify': () => JSON.stringify(prune(it)),
    'output() + JSON.stringify': () => JSON.stringify(around(ctx)),
    'fast-json-stringify': () => compiled(it),
    'prune + fast-json-stringify': () => compiled(prune(it)),
    'check + fast-json-stringify': () => compiled(schema['~standard'].validate(it).value),
    'zod parse + JSON.stringify': () => JSON.stringify(zod.parse(it)),
  }
  for (const [way, run] of Object.entries(ways)) rows.push({ value, way, microseconds: Number(time(run).toFixed(2)) })
}
console.table(rows)

// The same in a whole request, over a connection that stays open.
const requests = []
for (const [value, schema, , it] of cases) {
  const compiled = fastJson(forFastJson(schema['~standard'].jsonSchema.output({ target: 'draft-2020-12' })))
  const validate = schema['~standard'].validate
  const app = kolba()
  app.get('/plain', () => it)
  app.get('/output', output(schema), () => it)
  app.get('/compiled', ctx => {
    ctx.type = 'json'
    return compiled(validate(it).value)
  })
  const server = app.listen(0)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const best = { '/plain': Infinity, '/output': Infinity, '/compiled': Infinity }
  for (let round = 0; round < 9; round += 1)
    for (const path of Object.keys(best)) best[path] = Math.min(best[path], await timeRequests(server, agent, path))
  requests.push({
    value,
    'neither µs': best['/plain'],
    'output() µs': best['/output'],
    'check + fast-json-stringify µs': best['/compiled'],
    ratio: Number((best['/output'] / best['/compiled']).toFixed(2)),
  })
  agent.destroy()
  await app.close()
}
console.table(requests)

async function timeRequests(server, agent, path) {
  const count = 200
  const start = performance.now()
  for (let index = 0; index < count; index += 1) await get({ agent, port: server.address().port, path })
  return Math.round(((performance.now() - start) / count) * 1000)
}

function get(options) {
  return new Promise((resolve, reject) => {
    http.get(options, response => response.resume().on('end', resolve)).on('error', reject)
  })
}

/** Its validator is of draft 7. */
function forFastJson({ $schema, ...json }) {
  return JSON.parse(JSON.stringify(json))
}

/** The best of nine rounds of a tenth of a second, in microseconds. */
function time(run) {
  let best = Infinity
  for (let round = 0; round < 9; round += 1) {
    const start = performance.now()
    let count = 0
    while (performance.now() - start < 100) {
      for (let index = 0; index < 10; index += 1) run()
      count += 10
    }
    best = Math.min(best, ((performance.now() - start) / count) * 1000)
  }
  return best
}
