// The crash proof of jobs: rounds of orders that become jobs, while the servers that do them are killed with SIGKILL at
// random points, some of them before they listen, or stand still for longer than their lease. Then three records are
// compared: the client's of its 202s, the ledger that handlers append to, and what the API says. It fails where any job
// that was accepted is lost, has ended in two ways, or has succeeded without its effect.
// `npm run build && npx tsc -p test && node bench/crash.js --engine sqlite --rounds 20 --jobs 1000`
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { round } = await load()
const { engines, rounds, jobs, kills, servers, seed, killsStore } = readOptions(process.argv.slice(2))
const rows = []
for (const engine of engines) rows.push(await proveOne(engine))
print(rows)

async function proveOne(engine) {
  const all = []
  for (let number = 0; number < rounds; number += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'crash-'))
    const its = await round({ engine, jobs, kills, servers, seed: seed + number, killsStore, folder })
    const found = [...Object.values(its.verdict).flat(), ...its.wrong]
    const words = `${its.kills} kills, ${its.again} begun again, ${its.seconds.toFixed(1)} s`
    process.stderr.write(`${engine} round ${number + 1} of ${rounds}, seed ${seed + number}: ${words}\n`)
    if (found.length === 0) rmSync(folder, { recursive: true })
    else {
      process.exitCode = 1
      console.log(`${engine}, seed ${seed + number}: see ${folder}\n${found.slice(0, 20).join('\n')}`)
    }
    all.push(its)
  }
  return rowOf(engine, all)
}

function rowOf(engine, all) {
  const sum = read => all.reduce((total, its) => total + read(its), 0)
  return {
    engine,
    rounds: all.length,
    orders: sum(its => its.jobs),
    accepted: sum(its => its.accepted),
    'stored without a 202': sum(its => its.unaccepted),
    'requests without an answer': sum(its => its.unanswered),
    'answers 503': sum(its => its.refused),
    kills: sum(its => its.kills),
    'before it listened': sum(its => its.early),
    'stood still': sum(its => its.stops),
    'store killed': sum(its => its.stores),
    succeeded: sum(its => its.ended.succeeded),
    failed: sum(its => its.ended.failed),
    cancelled: sum(its => its.ended.cancelled),
    'begun again, by attempts': sum(its => its.again),
    'begun again, by the ledger': sum(its => its.begunAgain),
    'effects that the key prevented': sum(its => its.prevented),
    LOST: sum(its => its.verdict.lost.length),
    'IN TWO FINAL STATES': sum(its => its.verdict.twoFinals.length),
    'SUCCEEDED WITHOUT EFFECT': sum(its => its.verdict.withoutEffect.length),
    'TWO JOBS OF AN ORDER': sum(its => its.verdict.duplicateJobs.length),
    'TWO EFFECTS OF AN ORDER': sum(its => its.verdict.duplicateEffects.length),
    'ATTEMPTS MISCOUNTED': sum(its => its.verdict.miscounted.length),
    'WRONG ANSWERS': sum(its => its.wrong.length),
    seconds: Math.round(sum(its => its.seconds)),
  }
}

/** A column for each engine, as there are more counts than engines. */
function print(rows) {
  const line = (...cells) => console.log(`| ${cells.map(cell => cell.toLocaleString('en')).join(' | ')} |`)
  line(' ', ...rows.map(({ engine }) => engine))
  line('---', ...rows.map(() => '---:'))
  for (const name of Object.keys(rows[0]).filter(name => name !== 'engine')) line(name, ...rows.map(row => row[name]))
}

/** `--engine sqlite,bullmq --rounds 20 --jobs 1000 --kills 12 --servers 2 --seed 1 --kill-store` */
function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: 'string', default: 'sqlite,bullmq' },
      rounds: { type: 'string', default: '20' },
      jobs: { type: 'string', default: '1000' },
      kills: { type: 'string', default: '12' },
      servers: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      'kill-store': { type: 'boolean', default: false },
    },
  })
  const engines = values.engine.split(',')
  const unknown = engines.find(name => !['memory', 'sqlite', 'bullmq'].includes(name))
  if (unknown !== undefined)
    throw new TypeError(`crash --engine: ${unknown} is unknown. There are memory, sqlite, bullmq.`)
  const counts = ['rounds', 'jobs', 'kills', 'servers', 'seed'].map(name => [name, count(`--${name}`, values[name])])
  return { engines, killsStore: values['kill-store'], ...Object.fromEntries(counts) }
}

function count(option, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new TypeError(`crash ${option}: ${text} is no count. Give a whole number from 1 on.`)
}

async function load() {
  try {
    return await import('../build/test/support/crash/round.js')
  } catch (cause) {
    throw new Error('crash: the tests are not compiled. Run npm run build, and npx tsc -p test.', { cause })
  }
}
