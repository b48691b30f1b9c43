import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** `--only W1,W2 --peers koa --rounds 5 --seconds 3 --connections 64 --write` */
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
  const peers = choose('--peers', values.peers, namesIn('servers'))
  return {
    only: choose('--only', values.only, namesIn('workloads')),
    // Raw Node and kolba are always there, to be compared with.
    peers: [...new Set(['raw', ...peers, 'kolba'])],
    rounds: count('--rounds', values.rounds),
    seconds: count('--seconds', values.seconds),
    connections: count('--connections', values.connections),
    write: values.write,
  }
}

function namesIn(folder) {
  const files = readdirSync(new URL(folder, import.meta.url), { withFileTypes: true })
  return files.filter(file => file.isFile()).map(({ name }) => name.replace(/\.js$/, ''))
}

function choose(option, text, known) {
  const chosen = text === undefined ? known : text.split(',')
  const unknown = chosen.find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new TypeError(`bench ${option}: ${unknown} is unknown. There are ${known.join(', ')}.`)
  return chosen
}

function count(option, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new TypeError(`bench ${option}: ${text} is no count. Give a whole number from 1 on.`)
}
