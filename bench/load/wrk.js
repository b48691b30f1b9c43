import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LOAD, onCore } from '../cores.js'

export const title = 'wrk'

/** Sends the requests in turn, for so many seconds. @returns how many were answered, in how many seconds. */
export async function run(url, { requests, seconds, connections }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const file = join(folder, 'requests.lua')
  writeFileSync(file, script(requests))
  const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', file, url]
  const [command, ...args] = onCore(LOAD, wrk)
  try {
    const { stdout } = await promisify(execFile)(command, args)
    const [, count, microseconds, errors] = /^counted (\d+) (\d+) (\d+)$/m.exec(stdout)
    return { count: Number(count), seconds: microseconds / 1e6, errors: Number(errors) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** JSON's strings are Lua's too, as long as they are ASCII. */
function script(requests) {
  const lines = requests.map(({ method = 'GET', path, headers = {}, body }) => {
    const fields = Object.entries(headers).map(
      ([name, value]) => `[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
    )
    const parts = [JSON.stringify(method), JSON.stringify(path), `{${fields}}`, body ? JSON.stringify(body) : 'nil']
    return `    wrk.format(${parts.join(', ')}),`
  })
  return `
function init()
  requests = {
${lines.join('\n')}
  }
  turn = 0
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
function done(summary)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  print(string.format("counted %d %d %d", summary.requests, summary.duration, errors))
end
`
}
