import { open } from 'node:fs/promises'

/** What a handler has written: that it has begun with a job, or has done it. */
export interface Entry {
  readonly what: 'begin' | 'done'
  readonly id: string
  readonly attempt: number
  readonly number: number
}

const ENTRY = /^(begin|done) (\S+) (\d+) (\d+)$/

/** The file that the handlers append to. */
export class Ledger {
  readonly file: string
  readonly entries: Entry[] = []
  #read = 0
  #rest = ''

  constructor(file: string) {
    this.file = file
  }

  /** Reads what has been added since the last time. */
  async look(): Promise<void> {
    const handle = await open(this.file, 'a+')
    try {
      const { size } = await handle.stat()
      if (size === this.#read) return
      const buffer = Buffer.alloc(size - this.#read)
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#read)
      this.#read += bytesRead
      const lines = (this.#rest + buffer.toString('utf8', 0, bytesRead)).split('\n')
      this.#rest = lines.pop() ?? ''
      this.entries.push(...lines.map(entryOf))
    } finally {
      await handle.close()
    }
  }
}

/** @throws Error for half a line, as only a kill in the middle of a write would leave, which the system does not allow */
function entryOf(line: string): Entry {
  const [, what, id = '', attempt, number] = ENTRY.exec(line) ?? []
  if (what === undefined) throw new Error(`The ledger has a line that nobody wrote: ${JSON.stringify(line)}.`)
  return { what: what as Entry['what'], id, attempt: Number(attempt), number: Number(number) }
}
