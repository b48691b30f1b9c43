// W8: what all servers stream, a list of events and a file of 100 MB.

import { once } from 'node:events'
import { createWriteStream, existsSync, renameSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

export const EVENTS = 1000
export const BYTES = 100_000_000
export const FILE = join(tmpdir(), `kolba-bench-${BYTES}`)

/** What an event says: its number, and 40 characters. */
export function dataOf(number) {
  return JSON.stringify({ number, text: 'x'.repeat(40) })
}

/** The events as data, each in a turn of its own, as they would come from somewhere else. */
export async function* events() {
  for (let number = 1; number <= EVENTS; number += 1) {
    await nextTurn()
    yield { id: String(number), data: dataOf(number) }
  }
}

/** The events as text of Server-Sent Events, where the framework has nothing of its own for that. */
export async function* eventText() {
  for await (const { id, data } of events()) yield `id: ${id}\ndata: ${data}\n\n`
}

/** Writes the file, once for all servers. */
export async function makeFile() {
  if (existsSync(FILE) && statSync(FILE).size === BYTES) return
  const stream = createWriteStream(`${FILE}.part`)
  const block = Buffer.alloc(1_000_000, 'kolba ')
  for (let written = 0; written < BYTES; written += block.length) {
    if (!stream.write(block)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'close')
  renameSync(`${FILE}.part`, FILE)
}
