import { oneByOne } from '../alone.js'
import { read } from '../load/streams.js'
import { BYTES, EVENTS, makeFile } from '../shared/streams.js'
import { count, range, thousands } from '../spread.js'

const STREAMS = 100

export const title = `${STREAMS} concurrent streams of ${EVENTS} server-sent events, and a download of 100 MB`
export const servers = 'servers/streams'

export const columns = [
  ['events a second (min-max)', 'perSecond', thousands],
  ['processor time an event, µs', 'microseconds', count(2)],
  ['MB a second (min-max)', 'megabytesPerSecond', range(0)],
  ['processor time a MB, ms', 'millisecondsOfMegabyte', count(2)],
]
export const comparison = { key: 'perSecond', best: 'highest' }

export const oneRound = oneByOne(async ({ name, server }) => {
  await makeFile()
  // One of each first, to warm up.
  await read(server.url, 'events', 10)
  await read(server.url, 'file')
  const streamed = await used(server, () => read(server.url, 'events', STREAMS))
  const loaded = await used(server, () => read(server.url, 'file'))
  expect(name, 'events', streamed.events, STREAMS * EVENTS)
  expect(name, 'bytes', loaded.bytes, BYTES)
  const megabytes = BYTES / 1e6
  return {
    perSecond: streamed.events / streamed.seconds,
    microseconds: streamed.processorTime / streamed.events,
    megabytesPerSecond: megabytes / loaded.seconds,
    millisecondsOfMegabyte: loaded.processorTime / 1000 / megabytes,
  }
})

async function used(server, run) {
  const before = await server.usage()
  const numbers = await run()
  const after = await server.usage()
  return { ...numbers, processorTime: after.processorTime - before.processorTime }
}

function expect(name, what, found, should) {
  if (found !== should) throw new Error(`bench ${name}: ${found} ${what} came of ${should}. Correct the server.`)
}
