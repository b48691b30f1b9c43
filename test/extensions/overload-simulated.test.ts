import test from 'ava'
import { simulate } from '../support/simulated-loop.ts'

// What overload() promises, on a loop of which the time is counted and not measured: the same on every machine.
// bench/overload.js measures it.

const WORKS = [
  { title: 'that computes for 1.5 ms', work: 1.5, wait: 0 },
  { title: 'that computes for 20 ms', work: 20, wait: 0 },
  { title: 'that waits for 40 ms and computes for 4 ms', work: 4, wait: 40 },
]

for (const { title, work, wait } of WORKS) {
  const capacity = 1000 / work
  const half = { rate: capacity / 2, seconds: 10 }

  test(`overload() keeps p99 within 5 times that at half load, at ten times capacity of a handler ${title}`, t => {
    const ten = { rate: capacity * 10, seconds: 20 }
    const [before, during, after] = simulate([half, ten, half], { work, wait })
    t.log({ before, during, after })
    if (!before || !during || !after) return t.fail()
    t.true(before.refused <= 0.01 * before.taken, `${before.refused} were refused at half load.`)
    t.true(during.p99 <= 5 * before.p99, `p99 grew from ${before.p99} to ${during.p99} ms.`)
    t.true(during.taken >= 0.5 * capacity * 20, `${during.taken} were taken of ${capacity * 20} that can be.`)
    t.true(after.refused <= 0.02 * after.taken, `${after.refused} were refused at half load again.`)
    t.true(after.lastRefusal < 10_000 && after.p99 <= 2 * before.p99)
  })

  test(`overload() takes most of what can be done a little above and below capacity, of a handler ${title}`, t => {
    const [below, above] = simulate(
      [
        { rate: capacity * 0.7, seconds: 10 },
        { rate: capacity * 1.3, seconds: 10 },
      ],
      { work, wait },
    )
    if (!below || !above) return t.fail()
    t.true(below.refused <= 0.05 * below.taken, `${below.refused} were refused, and ${below.taken} taken.`)
    t.true(above.taken >= 0.6 * capacity * 10, `${above.taken} were taken of ${capacity * 10} that can be.`)
  })
}

test('overload() takes what comes at once after half a second without anything, however the flood before it ended', t => {
  for (let seconds = 2; seconds < 2.5; seconds += 0.02) {
    const flood = { rate: 2500, seconds }
    const nothing = { rate: 0, seconds: 0.6 }
    const burst = { rate: 12_000, seconds: 0.001 }
    const [during, , after] = simulate([flood, nothing, burst], { work: 4 })
    t.true((during?.refused ?? 0) > 1000)
    t.true((after?.taken ?? 0) > 0)
    t.is(after?.refused, 0, `${after?.refused} were refused after a flood of ${seconds} s.`)
  }
})
