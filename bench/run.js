// `npm run bench`: kolba beside its peers, on the same requests. It sets up what it needs, and README.md says more.
import { writeFileSync } from 'node:fs'
import { load } from './load/index.js'
import { readOptions, serversIn } from './options.js'
import { prepare } from './prepare.js'
import { heading, table } from './report.js'
import * as requests from './requests.js'
import { startServer } from './server.js'

const options = readOptions(process.argv.slice(2))
prepare()

const workloads = await Promise.all(options.only.map(readWorkload))
const packages = new Set()
const tables = []
for (const workload of workloads) {
  const results = await measure(workload)
  for (const { peer } of results) for (const name of peer.packages) packages.add(name)
  tables.push(table(workload, results))
  // Whatever comes of the next one, this is not lost.
  console.log(tables.at(-1))
}
const head = heading(options, load, [...packages])
console.log(head)
const report = [head, ...tables].join('\n')
if (options.write) writeFileSync(new URL('RESULTS.md', import.meta.url), `# Results of \`npm run bench\`\n\n${report}`)

/** A workload is measured by requests, unless it has a way of its own: `columns`, `comparison` and `oneRound`. */
async function readWorkload(name) {
  return { name, servers: 'servers', ...requests, ...(await import(`./workloads/${name}.js`)) }
}

/**
 * One server after another, round by round, so that what slows the machine for a while slows all of them. Every other
 * round goes backwards, so that a machine that becomes slower or faster is not for those that stand first.
 */
async function measure(workload) {
  const results = serversIn(workload.servers, options.peers).map(name => ({ name, rounds: [], failures: [] }))
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const result of round % 2 === 1 ? results : results.toReversed()) {
      process.stderr.write(`${workload.name} round ${round} of ${options.rounds}: ${result.name}\n`)
      const { peer, ...numbers } = await oneServer(workload, result)
      result.peer = peer
      result.rounds.push(numbers)
    }
  }
  return results
}

/** A server of which a request failed has a second try, which the report says, and no third. */
async function oneServer(workload, { name, failures }) {
  try {
    return await oneTry(workload, name)
  } catch (error) {
    process.stderr.write(`${error.message} It has a second try.\n`)
    failures.push(error.message)
    return oneTry(workload, name)
  }
}

async function oneTry(workload, name) {
  const start = performance.now()
  const server = await startServer(new URL(`${workload.servers}/${name}.js`, import.meta.url), workload.environment)
  try {
    return { peer: server.peer, ...(await workload.oneRound({ name, server, start, workload, options })) }
  } finally {
    await server.stop()
  }
}
