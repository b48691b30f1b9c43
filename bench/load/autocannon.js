// autocannon, in a process of its own, so that it can be kept to a core.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LOAD, onCore } from '../cores.js'

export const title = 'autocannon'

/** Sends the requests in turn, for so many seconds. @returns how many were answered, in how many seconds. */
export async function run(url, { requests, seconds, connections }) {
  const options = { url, connections, duration: seconds, requests: requests.map(withoutExpectation) }
  const cannon = [process.execPath, fileURLToPath(import.meta.url), JSON.stringify(options)]
  const [command, ...args] = onCore(LOAD, cannon)
  const { stdout } = await promisify(execFile)(command, args)
  return JSON.parse(stdout)
}

function withoutExpectation({ method = 'GET', path, headers, body }) {
  return { method, path, headers, body }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { default: autocannon } = await import('autocannon')
  const result = await autocannon(JSON.parse(process.argv[2]))
  const { requests, duration, errors } = result
  // As wrk counts: a 304 is an answer like another.
  const failed = errors + result['4xx'] + result['5xx']
  console.log(JSON.stringify({ count: requests.total, seconds: duration, errors: failed }))
}
