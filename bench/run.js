// `npm run bench`: kolba beside its peers, on the same requests. It sets up what it needs, and README.md says more.
import { writeFileSync } from 'node:fs'
import { load } from './load/index.js'
import { readOptions, serversIn } from './options.js'
import { prepare } from './prepare.js'
import { heading, table } from './report.js'
import * as requests from './requests.js'

const options = readOptions(process.argv.slice(2))
prepare()

const workloads = await Promise.all(options.only.map(readWorkload))
const packages = new Set()
const tables = []
for (const workload of workloads) {
  const { results, failures } = await measure(workload)
  for (const { peer } of results) for (const name of peer.packages) packages.add(name)
  tables.push(table(workload, results, failures))
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

/** Each round has its servers in new processes, and every other one begins with those that were last. */
async function measure(workload) {
  const names = serversIn(workload.servers, options.peers)
  const results = names.map(name => ({ name, rounds: [] }))
  const failures = []
  for (let round = 1; round <= options.rounds; round += 1) {
    process.stderr.write(`${workload.name} round ${round} of ${options.rounds}\n`)
    const ordered = round % 2 === 1 ? results : results.toReversed()
    const servers = ordered.map(({ name }) => ({ name, module: moduleOf(workload, name) }))
    const numbers = await twice(failures, () => workload.oneRound(servers, workload, options))
    for (const [index, { peer, ...its }] of numbers.entries()) {
      ordered[index].peer = peer
      ordered[index].rounds.push(its)
    }
  }
  return { results, failures }
}

function moduleOf({ servers }, name) {
  return new URL(`${servers}/${name}.js`, import.meta.url)
}

/** A round in which a request failed has a second try, which the report says, and no third. */
async function twice(failures, attempt) {
  try {
    return await attempt()
  } catch (error) {
    process.stderr.write(`${error.message} The round has a second try.\n`)
    failures.push(error.message)
    return attempt()
  }
}
