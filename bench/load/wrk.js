import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const title = 'wrk'

/** The command that sends the requests in turn, how to read what it prints, and what to do when it has ended. */
export function commandFor(url, { requests, connections, seconds, timeout }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const file = join(folder, 'requests.lua')
  writeFileSync(file, script(requests))
  return {
    command: ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', `${timeout}s`, '-s', file, url],
    read(output) {
      const [, count, microseconds, errors] = /^counted (\d+) (\d+) (\d+)$/m.exec(output)
      return { count: Number(count), seconds: microseconds / 1e6, errors: Number(errors) }
    },
    clear: () => rmSync(folder, { recursive: true }),
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
