import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** `--only W1,W4 --peers koa --rounds 5 --seconds 3 --connections 64 --write` */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      write: { type: 'boolean', default: false },
    },
  })
  const peers = choose('--peers', values.peers, namesIn('servers'), (name, peer) => name === peer)
  return {
    // W4 is W4a and W4b.
    only: choose('--only', values.only, namesIn('workloads'), (name, text) => name.replace(/[a-z]$/, '') === text),
    // Raw Node and kolba are always there, to be compared with.
    peers: [...new Set(['raw', ...peers.filter(name => name !== 'kolba'), 'kolba'])],
    rounds: count('--rounds', values.rounds),
    seconds: count('--seconds', values.seconds),
    connections: count('--connections', values.connections),
    write: values.write,
  }
}

/** The servers of a folder that belong to these peers, in their order: `kolba` has `kolba.js` and `kolba-cached.js`. */
export function serversIn(folder, peers) {
  const names = namesIn(folder)
  const belong = (name, peer) => name === peer || name.startsWith(`${peer}-`)
  return [...new Set(peers.flatMap(peer => names.filter(name => belong(name, peer))))]
}

function namesIn(folder) {
  const files = readdirSync(new URL(`${folder}/`, import.meta.url), { withFileTypes: true })
  return files
    .filter(file => file.isFile())
    .map(({ name }) => name.replace(/\.js$/, ''))
    .sort()
}

function choose(option, text, known, belongs) {
  if (text === undefined) return known
  return text.split(',').flatMap(wanted => {
    const chosen = known.filter(name => name === wanted || belongs(name, wanted))
    if (chosen.length > 0) return chosen
    throw new TypeError(`bench ${option}: ${wanted} is unknown. There are ${known.join(', ')}.`)
  })
}

function count(option, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new TypeError(`bench ${option}: ${text} is no count. Give a whole number from 1 on.`)
}
