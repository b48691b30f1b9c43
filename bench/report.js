import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { join } from 'node:path'

/** The results of one workload as a Markdown table: requests a second and processor time, beside raw Node and koa. */
export function table(workload, results) {
  const rows = results.map(({ name, peer, rounds }) => ({
    name,
    title: peer.title,
    speed: spread(rounds.map(({ perSecond }) => perSecond)),
    cost: spread(rounds.map(({ microseconds }) => microseconds)),
    busy: spread(rounds.map(({ busy }) => busy)),
    rounds,
  }))
  // Each round is compared with the other server's same round, when the machine was as busy or as idle.
  const ratio = ({ rounds }, name) => {
    const other = rows.find(row => row.name === name)
    return other
      ? spread(rounds.map((it, index) => it.perSecond / other.rounds[index].perSecond)).median.toFixed(2)
      : ''
  }
  const lines = rows.map(row => {
    const { title, speed, cost, busy } = row
    const percent = `${Math.round(busy.median * 100)} %`
    const cells = [title, thousands(speed), cost.median.toFixed(1), percent, ratio(row, 'raw'), ratio(row, 'koa')]
    return `| ${cells.join(' | ')} |`
  })
  const columns = ['', 'requests a second (min-max)', 'processor time a request, µs', 'core in use', 'of raw', 'of koa']
  const head = [`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`]
  return [`### ${workload.name}: ${workload.title}`, '', ...head, ...lines, ''].join('\n')
}

/** What was measured, with what, and where. */
export function heading({ rounds, seconds, connections }, load, packages) {
  const versions = packages.map(name => `${name} ${versionOf(name)}`)
  const way = `medians of ${rounds} rounds of ${seconds} s, ${connections} connections from ${load.title}`
  const place = `Node ${process.versions.node}, ${cpus().length} cores of ${cpus()[0].model}`
  const date = new Date().toISOString().slice(0, 10)
  return [`${date}: ${way}. ${place}. ${versions.join(', ')}.`, ''].join('\n')
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
  return { median, min: sorted[0], max: sorted.at(-1) }
}

function thousands({ median, min, max }) {
  const k = value => (value / 1000).toFixed(1)
  return `${k(median)} k (${k(min)}-${k(max)})`
}

/** A package need not export its package.json, so it is looked for on disk. */
function versionOf(name) {
  const folders = createRequire(import.meta.url).resolve.paths(name)
  const file = folders.map(folder => join(folder, name, 'package.json')).find(existsSync)
  return JSON.parse(readFileSync(file, 'utf8')).version
}
