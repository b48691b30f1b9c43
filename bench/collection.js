// What a collection over a list costs beside a loop written by hand: filter, sort and a page of 100,000 rows.
// `npm run build && node bench/collection.js`
import { chooseSource } from '../dist/extensions/collection/source.js'

const COUNT = 100_000
const field = (name, type) => ({ name, type, column: name, collation: 'binary' })
const fields = [field('id', 'number'), field('name', 'string'), field('age', 'number'), field('status', 'enum')]
const [id, name, age, status] = fields

// A linear congruence, so that each run has the same rows.
let seed = 1
const random = below => {
  seed = (seed * 48271) % 2147483647
  return seed % below
}
const rows = Array.from({ length: COUNT }, (_, index) => ({
  id: index + 1,
  name: `name ${random(1e9).toString(36)}`,
  age: random(10) === 0 ? null : random(100),
  status: random(2) === 0 ? 'new' : 'old',
  secret: 'x',
}))

const where = [
  { field: age, operator: 'gte', values: [30] },
  { field: status, operator: 'eq', values: ['new'] },
]
const slice = order => ({ where, order: [...order, { field: id, descending: false }], offset: 0, limit: 20, fields })

/** As someone would write it who thinks of the page: filter and count, keep the twenty first by insertion, in one loop. */
function byHand(compare) {
  let total = 0
  const page = []
  for (const row of rows) {
    if (row.age === null || row.age < 30 || row.status !== 'new') continue
    total += 1
    if (page.length === 20 && compare(row, page[19]) >= 0) continue
    let at = page.length
    while (at > 0 && compare(row, page[at - 1]) < 0) at -= 1
    page.splice(at, 0, row)
    if (page.length > 20) page.pop()
  }
  return { rows: page.map(({ id, name, age, status }) => ({ id, name, age, status })), total }
}

/** As most would: filter, sort, slice. */
function bySort(compare) {
  const found = rows.filter(row => row.age !== null && row.age >= 30 && row.status === 'new')
  const page = found.sort(compare).slice(0, 20)
  return { rows: page.map(({ id, name, age, status }) => ({ id, name, age, status })), total: found.length }
}

/** By code point, as a database sorts: `<` would put what is beyond the first plane before U+E000. */
function text(a, b) {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const one = a.codePointAt(index)
    const other = b.codePointAt(index)
    if (one !== other) return one - other
  }
  return a.length - b.length
}

/** Null before all values. */
function number(a, b) {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return a - b
}

const cases = [
  ['sort=age', [{ field: age, descending: false }], (a, b) => number(a.age, b.age) || a.id - b.id],
  ['sort=-age', [{ field: age, descending: true }], (a, b) => number(b.age, a.age) || a.id - b.id],
  ['sort=name', [{ field: name, descending: false }], (a, b) => text(a.name, b.name) || a.id - b.id],
  [
    'sort=-status,name',
    [
      { field: status, descending: true },
      { field: name, descending: false },
    ],
    (a, b) => text(b.status, a.status) || text(a.name, b.name) || a.id - b.id,
  ],
]

/** Milliseconds a call of each, the least of many rounds taken in turn, so that what else the machine does is not in it. */
function measure(runs) {
  const least = runs.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < 60; round += 1) {
    for (const [index, run] of runs.entries()) {
      const start = process.hrtime.bigint()
      run()
      least[index] = Math.min(least[index], Number(process.hrtime.bigint() - start) / 1e6)
    }
  }
  return least
}

const source = chooseSource(rows)
let failed = false
console.log(`${COUNT} rows, age[gte]=30&status=new, the first 20: milliseconds, the least of 60.\n`)
console.log('                     collection   by hand   ratio   filter, sort, slice')
for (const [title, order, compare] of cases) {
  const read = () => source.read(rows, slice(order), 'exact')
  const { rows: found, total } = read()
  if (JSON.stringify({ rows: found, total }) !== JSON.stringify(byHand(compare))) throw new Error(`${title} differs.`)
  const [ours, hand, sorted] = measure([read, () => byHand(compare), () => bySort(compare)])
  const ratio = ours / hand
  if (ratio > 3) failed = true
  const figures = [ours.toFixed(2).padStart(10), hand.toFixed(2).padStart(10), ratio.toFixed(2).padStart(8)]
  console.log(title.padEnd(21) + figures.join('') + sorted.toFixed(2).padStart(12))
}
if (failed) {
  console.log('\nA collection is to take at most three times as long as the loop.')
  process.exitCode = 1
}
