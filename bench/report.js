import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { spread } from './spread.js'

/** The results of one workload as a Markdown table, with each server beside raw Node and beside the best peer. */
export function table(workload, results, failures) {
  const { columns, comparison } = workload
  const others = [results.find(({ name }) => name === 'raw'), bestPeer(results, comparison)].filter(Boolean)
  const lines = results.map(({ peer, rounds }) => {
    const cells = columns.map(([, key, format]) => format(spread(rounds.map(it => it[key]))))
    const ratios = others.map(other => ratio(rounds, other.rounds, comparison.key))
    return `| ${[peer.title, ...cells, ...ratios].join(' | ')} |`
  })
  const titles = ['', ...columns.map(([title]) => title), ...others.map(({ name }) => `of ${name}`)]
  const head = [`| ${titles.join(' | ')} |`, `|${'---|'.repeat(titles.length)}`]
  const again = failures.map(failure => `\nMeasured again: ${failure}`)
  return [`### ${workload.name}: ${workload.title}`, '', ...head, ...lines, ...again, ''].join('\n')
}

/** The peer that is ahead by its median: neither raw Node nor kolba. */
function bestPeer(results, { key, best }) {
  const peers = results.filter(({ name }) => name !== 'raw' && !/^kolba\b/.test(name))
  const median = ({ rounds }) => spread(rounds.map(it => it[key])).median
  const sorted = peers.sort((a, b) => median(b) - median(a))
  return best === 'highest' ? sorted[0] : sorted.at(-1)
}

/** Each round is compared with the other server's same round, when the machine was as busy or as idle. */
function ratio(rounds, others, key) {
  return spread(rounds.map((it, index) => it[key] / others[index][key])).median.toFixed(2)
}

/** What was measured, with what, and where. */
export function heading({ rounds, seconds, connections }, load, packages) {
  const versions = packages.map(name => `${name} ${versionOf(name)}`)
  const way = `medians of ${rounds} rounds of ${seconds} s, ${connections} connections from ${load.title}`
  const place = `Node ${process.versions.node}, ${cpus().length} cores of ${cpus()[0].model}`
  const date = new Date().toISOString().slice(0, 10)
  return [`${date}: ${way}. ${place}. ${versions.join(', ')}.`, ''].join('\n')
}

/** A package need not export its package.json, so it is looked for on disk. */
function versionOf(name) {
  const folders = createRequire(import.meta.url).resolve.paths(name)
  const file = folders.map(folder => join(folder, name, 'package.json')).find(existsSync)
  return JSON.parse(readFileSync(file, 'utf8')).version
}
