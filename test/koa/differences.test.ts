import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { DIFFERENCES } from '../support/koa-differences.ts'
import { root } from '../support/root.ts'

const folder = join(root, 'test/koa')
const tests = readdirSync(folder)
  .filter(name => name !== 'differences.test.ts')
  .map(name => readFileSync(join(folder, name), 'utf8'))
  .join('\n')

for (const [name, { because }] of Object.entries(DIFFERENCES)) {
  test(`kolba does otherwise than Koa, ${name}: ${because}`, t => {
    // Each answer of kolba that is compared has the id.
    const isMet = name === 'requestId' || new RegExp(`\\b${name}\\b`).test(tests)
    t.true(isMet, `No test beside Koa meets ${name}.`)
  })
}
