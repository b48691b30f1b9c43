// What overload() keeps: the time of those that are taken, when ten times as many come as can be answered. For an endpoint
// that computes, one that waits before it computes, and one that waits for a pool, it finds what can be answered in a
// second, measures at half of that, offers ten times as much, and goes back to half. It fails where, of those taken, the
// slowest in a hundred take more than five times as long as at half load, where something is neither 200 nor 503 with
// Retry-After, where no second passes without a refusal in the 5 s after, and where more than 2 % are refused at half load.
// `npm run bench:overload`, `npm run bench:overload -- --seconds 5 --only computing --unprotected`
import { parseArgs } from 'node:util'
import { keepTo, LOAD } from './cores.js'
import { connect } from './load/lean.js'
import { offer } from './load/open.js'
import { prepare } from './prepare.js'
import { startServer } from './server.js'
import { requestsOfUsers } from './shared/endpoint.js'

const MOST = { times: 5, recovery: 5, refused: 0.02 }
const LEAST_ANSWERED = 0.5
/** The endpoints, and what there is too little of: others on the machine take of the processor, and not of the time. */
const ALL = { computing: 'processor', awaiting: 'processor', pooled: 'time' }

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    only: { type: 'string', default: Object.keys(ALL).join() },
    unprotected: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
if (!(seconds >= 1)) throw new TypeError(`overload --seconds: ${values.seconds} is too short. Give a number from 1.`)
const names = values.only.split(',')
const unknown = names.find(name => !Object.hasOwn(ALL, name))
if (unknown !== undefined)
  throw new TypeError(`overload --only: ${unknown} is unknown. There are ${Object.keys(ALL).join(', ')}.`)

prepare()
keepTo(LOAD)

const requests = requestsOfUsers()
const faults = []
for (const name of names) await measure(name)
for (const fault of faults) console.log(fault)
if (faults.length > 0) process.exitCode = 1

async function measure(name) {
  const module = new URL(`servers/overload/${name}.js`, import.meta.url)
  const capacity = await capacityOf(module, ALL[name])
  const server = await startServer(module, values.unprotected ? { BENCH_UNPROTECTED: 'yes' } : {})
  const run = (times, seconds) => offer(server.url, requests, { rate: capacity * times, seconds })
  await run(0.5, 3)
  const short = Math.min(seconds, 10)
  const half = summary(await run(0.5, short), short)
  const before = await server.usage()
  const begun = performance.now()
  const ten = summary(await run(10, seconds), seconds)
  const used = ((await server.usage()).processorTime - before.processorTime) / 1000 / (performance.now() - begun)
  const after = summary(await run(0.5, 10), 10)
  await server.stop()
  console.log(`\n${server.peer.title}: ${Math.round(capacity)} can be answered in a second`)
  console.table({ 'half of that': rowOf(half), 'ten times that': rowOf(ten), 'half again': rowOf(after) })
  const times = ten.accepted.p99 / half.accepted.p99
  const answered = ten.accepted.rate / capacity
  console.log(
    `p99 of those taken: ${times.toFixed(1)} times that at half load. ` +
      `Taken: ${Math.round(answered * 100)} % of what can be. Over after ${after.recovery} s. ` +
      `The server had ${Math.round(used * 100)} % of a processor.`,
  )
  faults.push(
    ...[
      !(times <= MOST.times) && `${name}: p99 grew ${times.toFixed(1)} times; ${MOST.times} are allowed.`,
      !(answered >= LEAST_ANSWERED) && `${name}: only ${Math.round(answered * 100)} % of what can be was answered.`,
      after.recovery > MOST.recovery && `${name}: refused in every second until ${after.recovery} s after.`,
      ...[half, after].map(
        ({ refused, offered }) =>
          refused.rate > MOST.refused * offered &&
          `${name}: of ${Math.round(offered)} a second ${refused.rate.toFixed(1)} were refused at half load.`,
      ),
      ...[half, ten, after].map(({ others }) => others > 0 && `${name}: ${others} are neither 200 nor a whole 503.`),
    ].filter(Boolean),
  )
}

/** Answers a second, of the processor or of the time, of a server that refuses nothing, to clients that take turns. */
async function capacityOf(module, scarce) {
  const server = await startServer(module, { BENCH_UNPROTECTED: 'yes' })
  const client = await connect(server.url, requests, 32)
  const perSecond = async count => {
    const { processorTime } = await server.usage()
    const start = performance.now()
    await client.send(count)
    const time = performance.now() - start
    const used = ((await server.usage()).processorTime - processorTime) / 1000
    return (count * 1000) / (scarce === 'processor' ? used : time)
  }
  const guess = await perSecond(500)
  await perSecond(Math.ceil(guess * 2))
  const capacity = await perSecond(Math.ceil(guess * 4))
  client.close()
  await server.stop()
  return capacity
}

function summary({ answers, unanswered }, seconds) {
  const accepted = answers.filter(({ status }) => status === 200)
  const refused = answers.filter(({ status, hasRetryAfter }) => status === 503 && hasRetryAfter)
  return {
    offered: (answers.length + unanswered) / seconds,
    accepted: timesOf(accepted, seconds),
    refused: timesOf(refused, seconds),
    others: answers.length + unanswered - accepted.length - refused.length,
    recovery: firstWithout(refused),
  }
}

/** The first second in which nothing was refused. */
function firstWithout(refused) {
  const seconds = new Set(refused.map(({ at }) => Math.floor(at / 1000)))
  let second = 0
  while (seconds.has(second)) second += 1
  return second
}

function timesOf(answers, seconds) {
  const sorted = answers.map(({ took }) => took).sort((a, b) => a - b)
  const at = share => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { count: sorted.length, rate: sorted.length / seconds, p50: at(0.5), p99: at(0.99), most: at(1) }
}

function rowOf({ offered, accepted, refused, others }) {
  const ms = time => (Number.isNaN(time) ? '' : Number(time.toFixed(1)))
  return {
    'offered a second': Math.round(offered),
    'taken a second': Math.round(accepted.rate),
    'p50, ms': ms(accepted.p50),
    'p99, ms': ms(accepted.p99),
    'slowest, ms': ms(accepted.most),
    'refused a second': Math.round(refused.rate),
    'p50 of these, ms': ms(refused.p50),
    'p99 of these, ms': ms(refused.p99),
    neither: others,
  }
}
