import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { forked } from '../support/forked.js'

const program = fileURLToPath(new URL('../support/heap.js', import.meta.url))

async function megabytes(clients: number, kind: string): Promise<number> {
  const child = forked(program, [String(clients), kind], { execArgv: ['--expose-gc'] })
  const [bytes] = await once(child, 'message')
  return bytes / 2 ** 20
}

for (const kind of ['address', 'user']) {
  test(`rateLimit() keeps 100,000 clients in 32 MB, and 300,000 in no more, by ${kind}`, async t => {
    const [some, many] = [await megabytes(100_000, kind), await megabytes(300_000, kind)]
    t.log(`${some.toFixed(1)} MB and ${many.toFixed(1)} MB`)
    t.true(some < 32, `${some} MB`)
    t.true(many < 32, `${many} MB`)
  })
}
