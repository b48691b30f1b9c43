// autocannon, in a process of its own, so that it can be kept to a core.
import { fileURLToPath } from 'node:url'

export const title = 'autocannon'

/** The command that sends the requests in turn, how to read what it prints, and what to do when it has ended. */
export function commandFor(url, { requests, connections, seconds, timeout }) {
  const options = { url, connections, timeout, duration: seconds, requests: requests.map(withoutExpectation) }
  const command = [process.execPath, fileURLToPath(import.meta.url), JSON.stringify(options)]
  return { command, read: JSON.parse, clear() {} }
}

function withoutExpectation({ method = 'GET', path, headers, body }) {
  return { method, path, headers, body }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { default: autocannon } = await import('autocannon')
  const running = autocannon(JSON.parse(process.argv[2]))
  process.once('SIGINT', () => running.stop())
  const result = await running
  const { requests, duration, errors } = result
  // As wrk counts: a 304 is an answer like another.
  const failed = errors + result['4xx'] + result['5xx']
  console.log(JSON.stringify({ count: requests.total, seconds: duration, errors: failed }))
}
