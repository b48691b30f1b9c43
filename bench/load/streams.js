// The client of W8, in a process of its own: 100 streams of events at once, then the download, and what came of each.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LOAD, onCore } from '../cores.js'

/** @returns `{ seconds, events, bytes }` of `what`, `events` from so many streams or `file`. */
export async function read(url, what, streams = 1) {
  const client = [process.execPath, fileURLToPath(import.meta.url), url, what, String(streams)]
  const [command, ...args] = onCore(LOAD, client)
  const { stdout } = await promisify(execFile)(command, args)
  return JSON.parse(stdout)
}

/** Reads the events of a stream, and counts those that are the next. */
async function readEvents(url) {
  const response = await get(`${url}/events`, 'text/event-stream')
  let rest = ''
  let count = 0
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop()
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data === undefined) continue
      if (JSON.parse(data).number !== count + 1) throw new Error(`event ${count + 1} is ${data}`)
      count += 1
    }
  }
  return { events: count, bytes: 0 }
}

async function readFile(url) {
  const response = await get(`${url}/file`, 'application/octet-stream')
  let bytes = 0
  response.on('data', chunk => {
    bytes += chunk.length
  })
  await once(response, 'end')
  return { events: 0, bytes }
}

async function get(url, type) {
  const [response] = await once(http.get(url, { agent: false, headers: { Accept: type } }), 'response')
  const { statusCode, headers } = response
  if (statusCode === 200 && headers['content-type']?.startsWith(type)) return response
  throw new Error(`GET ${url} answers ${statusCode} ${headers['content-type']} and should 200 ${type}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url, what, streams] = process.argv.slice(2)
  const start = performance.now()
  const one = what === 'events' ? readEvents : readFile
  const all = await Promise.all(Array.from({ length: Number(streams) }, () => one(url)))
  const seconds = (performance.now() - start) / 1000
  const sum = name => all.reduce((total, it) => total + it[name], 0)
  console.log(JSON.stringify({ seconds, events: sum('events'), bytes: sum('bytes') }))
}
