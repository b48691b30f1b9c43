// `npm run bench`: kolba beside its peers, on the same requests. It sets up what it needs, and README.md says more.
import { spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { load } from './load/index.js'
import { readOptions } from './options.js'
import { heading, table } from './report.js'
import { startServer } from './server.js'
import { verify } from './verify.js'

const WARM_UP_SECONDS = 1

const options = readOptions(process.argv.slice(2))
prepare()

const workloads = await Promise.all(options.only.map(readWorkload))
const packages = new Set()
const tables = []
for (const workload of workloads) {
  const results = await measure(workload)
  for (const { peer } of results) for (const name of peer.packages) packages.add(name)
  tables.push(table(workload, results))
}
const report = [heading(options, load, [...packages]), ...tables].join('\n')
console.log(report)
if (options.write) writeFileSync(new URL('RESULTS.md', import.meta.url), `# Results of \`npm run bench\`\n\n${report}`)

/** Builds kolba, and installs the peers when there is something new to install. */
function prepare() {
  run(process.execPath, [fileURLToPath(new URL('../scripts/run.js', import.meta.url)), 'build'])
  const changed = path => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return
  run('npm', ['ci', '--no-audit', '--no-fund'])
}

function run(command, args) {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}

async function readWorkload(name) {
  return { name, servers: 'servers', ...(await import(`./workloads/${name}.js`)) }
}

/** One server after another, round by round, so that what slows the machine for a while slows all of them. */
async function measure(workload) {
  const results = options.peers.map(name => ({ name, rounds: [] }))
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const result of results) {
      process.stderr.write(`${workload.name} round ${round} of ${options.rounds}: ${result.name}\n`)
      const { peer, ...numbers } = await oneRound(workload, result.name)
      result.peer = peer
      result.rounds.push(numbers)
    }
  }
  return results
}

async function oneRound({ servers, requests }, name) {
  const server = await startServer(new URL(`${servers}/${name}.js`, import.meta.url))
  try {
    await verify(name, server.url, requests)
    const { connections, seconds } = options
    await load.run(server.url, { requests, connections, seconds: WARM_UP_SECONDS })
    const before = await server.processorTime()
    const answers = await load.run(server.url, { requests, connections, seconds })
    const after = await server.processorTime()
    if (answers.errors > 0)
      throw new Error(`bench ${name}: ${answers.errors} requests failed. Run the server by itself.`)
    return {
      peer: server.peer,
      perSecond: answers.count / answers.seconds,
      microseconds: (after - before) / answers.count,
      busy: (after - before) / 1e6 / answers.seconds,
    }
  } finally {
    await server.stop()
  }
}
