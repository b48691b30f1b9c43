import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { withMe } from '../children.js'
import { LOAD, onCore } from '../cores.js'
import * as autocannon from './autocannon.js'
import * as wrk from './wrk.js'

/** Seconds: more than anything is measured for. */
const LONG = 3600
/** Seconds: more than a server is paused for in one go. */
const TIMEOUT = 30
/** Milliseconds: what it takes to start, and to open the connections. */
const START = 500

/**
 * What makes the load: wrk where it is installed, because it leaves the limit to the server; autocannon elsewhere,
 * which takes about as much time for a request as the fastest servers do, and so makes them look alike.
 */
const tool = spawnSync('wrk', ['--version']).error ? autocannon : wrk

export const load = {
  title: tool.title,

  /** Sends the requests in turn, for so many seconds. @returns how many were answered, in how many seconds */
  run: (url, options) => begin(url, options).end(),

  /** The same without an end, until `end()` is called. */
  async start(url, options) {
    const { child, end } = begin(url, { ...options, seconds: LONG })
    await sleep(START)
    return {
      end() {
        child.kill('SIGINT')
        return end()
      },
      kill: () => child.kill('SIGKILL'),
    }
  },
}

function begin(url, options) {
  const { command, read, clear } = tool.commandFor(url, { ...options, timeout: TIMEOUT })
  const [file, ...args] = onCore(LOAD, command)
  const child = withMe(spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
  child.once('exit', clear)
  const output = text(child.stdout)
  return { child, end: async () => read(await output) }
}
