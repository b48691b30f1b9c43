// Uploads for jobs, to copy: a job begins when its request is over, so that a body too large to store waits in a file.
import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type BaseContext, type Decorator, decorator, type Next, Problem, problem } from 'kolba'
import { JobCancelled } from 'kolba/jobs'

interface Uploads {
  /** Above background(): writes the body into a file as it comes, whose path is `ctx.file`. */
  readonly kept: Decorator<{ file: string }>
  /** Below background(): removes the file, unless the job is begun again and needs it. */
  readonly removed: Decorator<object, BaseContext & { file: string }>
  /** Removes the files that nobody has come for in so many seconds, because their jobs were cancelled before they began. */
  sweep(seconds: number): Promise<void>
}

/** Keeps bodies in a folder. One of another media type is 415, past the limit, in bytes, 413, and broken off or empty 400. */
export function uploads(folder: string, type: string, limit: number): Uploads {
  mkdirSync(folder, { recursive: true, mode: 0o700 })

  const kept = decorator<{ file: string }>('kept', keep, {
    note: { requestBody: { required: true, content: { [type]: {} } } },
    reads: true,
  })

  async function keep(ctx: BaseContext, next: Next<{ file: string }>): Promise<unknown> {
    const coding = ctx.get('Content-Encoding') || 'identity'
    if (!ctx.is(type) || coding !== 'identity')
      throw problem(415, { detail: `Send a file as ${type}, not compressed.`, headers: { Accept: type } })
    const file = join(folder, randomUUID())
    try {
      await write(ctx.req, file, limit)
      return await next({ file })
    } catch (error) {
      await rm(file, { force: true })
      throw error
    }
  }

  const removed = decorator('removed', async ({ file, signal }: BaseContext & { file: string }, next) => {
    try {
      const value = await next()
      await rm(file, { force: true })
      return value
    } catch (error) {
      const isOver = signal.reason instanceof JobCancelled || (error instanceof Problem && error.status < 500)
      if (isOver) await rm(file, { force: true })
      throw error
    }
  })

  async function sweep(seconds: number): Promise<void> {
    for (const name of await readdir(folder)) {
      const file = join(folder, name)
      const its = await stat(file).catch(() => undefined) // which its job has just removed
      if (its && Date.now() - its.mtimeMs > seconds * 1000) await rm(file, { force: true })
    }
  }

  return { kept, removed, sweep }
}

async function write(req: IncomingMessage, file: string, limit: number): Promise<void> {
  if (Number(req.headers['content-length']) > limit) throw tooLarge(limit)
  let length = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length
      if (length > limit) done(tooLarge(limit))
      else done(null, chunk)
    },
  })
  const cut = () => void (req.complete || counted.destroy(problem(400, { detail: 'The file ends too early.' })))
  // The request is not a part of the pipeline, which would end its connection before it is answered.
  req.once('error', cut).once('close', cut).pipe(counted)
  await pipeline(counted, createWriteStream(file, { flags: 'wx', mode: 0o600 }))
  if (length === 0) throw problem(400, { detail: 'There is no file in the body.' })
}

function tooLarge(limit: number): Error {
  return problem(413, { detail: `Send at most ${limit} bytes.`, headers: { Connection: 'close' } })
}
