// What checking a body of 1 KB costs: a library alone, and the same through input(); the schemas of kolba/schema, and
// the same checks written by hand. `npm run build && node bench/validate.js`
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { input } from '../dist/extensions/input.js'
import { flag, int, list, object, optional, text } from '../dist/extensions/schema.js'

const line = index => ({ article: `article-${index}-${'x'.repeat(40)}`, quantity: index + 1, gift: index % 2 === 0 })
const body = {
  customer: 'Ada Lovelace',
  note: 'Please ring twice. '.repeat(5),
  address: { street: 'St James Square 12', city: 'London', zip: 'SW1Y 4JH' },
  lines: Array.from({ length: 8 }, (_, index) => line(index)),
}

const jsonSchema = {
  type: 'object',
  required: ['customer', 'address', 'lines'],
  properties: {
    customer: { type: 'string', minLength: 1, maxLength: 100 },
    note: { type: 'string', maxLength: 500 },
    address: {
      type: 'object',
      required: ['street', 'city', 'zip'],
      properties: {
        street: { type: 'string', maxLength: 100 },
        city: { type: 'string', maxLength: 100 },
        zip: { type: 'string', maxLength: 10 },
      },
    },
    lines: {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'object',
        required: ['article', 'quantity', 'gift'],
        properties: {
          article: { type: 'string', maxLength: 100 },
          quantity: { type: 'integer', minimum: 1, maximum: 1000 },
          gift: { type: 'boolean' },
        },
      },
    },
  },
}
const short = v.pipe(v.string(), v.maxLength(100))
const schemas = {
  'kolba/schema': object({
    customer: text({ min: 1, max: 100 }),
    note: optional(text({ max: 500 })),
    address: object({ street: text({ max: 100 }), city: text({ max: 100 }), zip: text({ max: 10 }) }),
    lines: list(object({ article: text({ max: 100 }), quantity: int({ min: 1, max: 1000 }), gift: flag() }), {
      max: 100,
    }),
  }),
  zod: z.object({
    customer: z.string().min(1).max(100),
    note: z.string().max(500).optional(),
    address: z.object({ street: z.string().max(100), city: z.string().max(100), zip: z.string().max(10) }),
    lines: z
      .array(z.object({ article: z.string().max(100), quantity: z.int().min(1).max(1000), gift: z.boolean() }))
      .max(100),
  }),
  valibot: v.object({
    customer: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
    note: v.optional(v.pipe(v.string(), v.maxLength(500))),
    address: v.object({ street: short, city: short, zip: v.pipe(v.string(), v.maxLength(10)) }),
    lines: v.pipe(
      v.array(
        v.object({
          article: short,
          quantity: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
          gift: v.boolean(),
        }),
      ),
      v.maxLength(100),
    ),
  }),
  arktype: type({
    customer: '1 <= string <= 100',
    'note?': 'string <= 500',
    address: { street: 'string <= 100', city: 'string <= 100', zip: 'string <= 10' },
    lines: type({ article: 'string <= 100', quantity: '1 <= number.integer <= 1000', gift: 'boolean' })
      .array()
      .atMostLength(100),
  }),
  'JSON Schema': jsonSchema,
}

/** The checks of the schema of kolba/schema, as someone would write them who finds all faults, drops what is undeclared, and counts no characters. */
function byHand(value) {
  const issues = []
  const fault = (path, message) => void issues.push({ path, message })
  const isText = (value, min, max) =>
    typeof value === 'string' && value.length >= min && value.length <= max && value.isWellFormed()
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { issues: [{ path: [], message: 'object' }] }
  const { customer, note, address, lines } = value
  if (!isText(customer, 1, 100)) fault(['customer'], 'text')
  if (note !== undefined && !isText(note, 0, 500)) fault(['note'], 'text')
  let place
  if (typeof address !== 'object' || address === null || Array.isArray(address)) fault(['address'], 'object')
  else {
    const { street, city, zip } = address
    if (!isText(street, 0, 100)) fault(['address', 'street'], 'text')
    if (!isText(city, 0, 100)) fault(['address', 'city'], 'text')
    if (!isText(zip, 0, 10)) fault(['address', 'zip'], 'text')
    place = { street, city, zip }
  }
  const all = []
  if (!Array.isArray(lines) || lines.length > 100) fault(['lines'], 'list')
  else
    for (const [index, line] of lines.entries()) {
      if (typeof line !== 'object' || line === null || Array.isArray(line)) {
        fault(['lines', index], 'object')
        continue
      }
      const { article, quantity, gift } = line
      if (!isText(article, 0, 100)) fault(['lines', index, 'article'], 'text')
      if (!Number.isSafeInteger(quantity) || quantity < 1 || quantity > 1000) fault(['lines', index, 'quantity'], 'int')
      if (typeof gift !== 'boolean') fault(['lines', index, 'gift'], 'flag')
      all.push({ article, quantity, gift })
    }
  if (issues.length > 0) return { issues }
  return {
    value:
      note === undefined ? { customer, address: place, lines: all } : { customer, note, address: place, lines: all },
  }
}

const alone = Object.fromEntries(
  Object.entries(schemas).map(([name, schema]) => [
    name,
    schema['~standard']?.validate ?? new Ajv2020({ allErrors: true }).compile(schema),
  ]),
)

const through = Object.fromEntries(
  Object.entries(schemas).map(([name, schema]) => [name, input({ body: schema })(ctx => ctx.input.body)]),
)
const context = body => ({ app: { reserved: {} }, request: { body }, is: () => false })

/** As many as a compiler cannot take for one, and whose results it cannot leave out. */
const bodies = Array.from({ length: 256 }, () => JSON.parse(JSON.stringify(body)))
let kept

/** Microseconds a call, the least of several rounds, so that what else the machine does is not in it. */
async function measure(run, rounds = 20, calls = 5120) {
  let least = Infinity
  for (let round = 0; round < rounds; round += 1) {
    const start = process.hrtime.bigint()
    for (let call = 0; call < calls; call += 1) kept = await run(bodies[call % 256])
    least = Math.min(least, Number(process.hrtime.bigint() - start) / calls / 1000)
  }
  return least
}

const nothing = await measure(body => body)
console.log(`A body of ${JSON.stringify(body).length} bytes, microseconds a call.\n`)
console.log('library        alone   input()   more')
let failed = false
for (const name of Object.keys(schemas)) {
  const before = (await measure(body => alone[name](body))) - nothing
  const after = (await measure(body => through[name](context(body)))) - nothing
  const figures = [
    before.toFixed(2).padStart(7),
    after.toFixed(2).padStart(10),
    (after - before).toFixed(2).padStart(7),
  ]
  console.log(name.padEnd(13) + figures.join(''))
  if (after - before > 10) failed = true
}
const hand = (await measure(body => byHand(body))) - nothing
const own = (await measure(body => alone['kolba/schema'](body))) - nothing
console.log(`\nby hand ${hand.toFixed(2)}, kolba/schema ${own.toFixed(2)}: ${(own / hand).toFixed(2)} times`)
if (own > hand * 2) failed = true
if (failed) {
  console.log('\ninput() is to cost at most 10 microseconds more, and kolba/schema at most twice as much as by hand.')
  process.exitCode = 1
}
if (kept === undefined) throw new Error('Nothing was measured.')
