// Streams on ctx.body: one that fails before its first byte or behind it, one whose client goes away, and one that is
// never sent. None of them may hold a file open.
import { createReadStream, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import type Koa from 'koa'
import { appOf, portOf, type Run, type Talk, talk, textOf, type Way } from '../support/beside-koa.ts'
import { DIFFERENCES } from '../support/koa-differences.ts'
import { Line } from '../support/raw.ts'

const WAYS = ['koa', 'use', 'route'] as const

/** Waits until it holds; ava's own limit ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 5))
}

const cut =
  (body: RegExp) =>
  (t: ExecutionContext, { answers, connection }: Talk, way: Way) => {
    t.is(connection, 'closed', way)
    t.is(answers.length, 1)
    t.true(answers[0]?.cut)
    t.regex(answers[0]?.body ?? '', body)
  }

/** A stream that fails when a part of it is sent: what is seen, and what the app is told. */
const broken: Record<string, () => unknown> = {
  'a stream': () => Readable.from(failing('first')),
  'a stream that is piped': () => Readable.from(failing('first')).on('error', () => {}),
  'a web stream': () => failingWeb(),
  'a web Response': () => new Response(failingWeb()),
}

function failingWeb(): ReadableStream<Uint8Array> {
  return Readable.toWeb(Readable.from(failing(Buffer.from('first')))) as ReadableStream<Uint8Array>
}

async function* failing(first?: string | Buffer) {
  if (first) yield first
  await new Promise(resolve => setTimeout(resolve, 20))
  throw new Error('broken')
}

for (const [name, stream] of Object.entries(broken)) {
  test(`${name} that fails in the middle is cut off, and kolba tells the app once`, async t => {
    for (const way of WAYS) {
      const run: Run = ctx => {
        ctx.body = stream()
      }
      const seen = await talk(t, way, { run })
      cut(/first/)(t, seen, way)
      await new Promise(resolve => setTimeout(resolve, 20))
      const told = way === 'koa' ? [...new Set(seen.errors)] : seen.errors
      t.deepEqual(told, ['Error: broken'], DIFFERENCES.toldOnce.because)
    }
  })

  test(`${name} that fails in the middle is cut off behind a length of its own`, async t => {
    for (const way of WAYS) {
      const run: Run = ctx => {
        ctx.body = stream()
        ctx.length = 100
      }
      cut(/first/)(t, await talk(t, way, { run }), way)
    }
  })
}

const beforeTheFirst: Record<string, () => unknown> = {
  'a stream': () => Readable.from(failing()),
  'a file that is not there': () => createReadStream('/nowhere/at/all'),
  'a stream that was destroyed': () => new PassThrough().destroy(),
  'a stream that was destroyed with an error': () =>
    new PassThrough().on('error', () => {}).destroy(new Error('broken')),
}

for (const [name, stream] of Object.entries(beforeTheFirst)) {
  test(`${name} that fails before its first byte is a 500 of kolba, where Koa cuts the connection`, async t => {
    const run: Run = ctx => {
      ctx.body = stream()
    }
    const koa = await talk(t, 'koa', { run })
    t.is(koa.connection, 'closed')
    t.deepEqual(koa.answers, [])
    for (const way of ['use', 'route'] as const) {
      const { answers, connection, errors } = await talk(t, way, { run })
      t.deepEqual(
        answers.map(({ line }) => line),
        Array(2).fill('HTTP/1.1 500 Internal Server Error'),
        way,
      )
      t.is(connection, 'kept', DIFFERENCES.beforeTheFirstByte.because)
      t.is(errors.length, 2)
    }
  })
}

test('a stream that fails after it was replaced tells nobody', async t => {
  for (const way of WAYS) {
    const run: Run = ctx => {
      const stream = new PassThrough()
      ctx.body = stream
      ctx.body = 'other'
      stream.emit('error', new Error('not sent'))
    }
    const { answers, errors } = await talk(t, way, { run })
    t.deepEqual(
      answers.map(({ body }) => body),
      ['other', 'other'],
      way,
    )
    t.deepEqual(errors, [])
  }
})

/** A request under way: the line, and the streams that the middleware has made. */
async function asking(t: ExecutionContext, way: Way, run: Run, method = 'GET') {
  const errors: string[] = []
  const setup = (app: Koa) => void app.on('error', (error: Error) => errors.push(error.message))
  const line = new Line(await portOf(t, appOf(way, { run, setup })))
  line.write(textOf({ method }))
  return { line, errors }
}

/** Streams of which a client reads a part, and goes; each says when it was destroyed. */
const endless: Record<string, (gone: () => void) => unknown> = {
  'a stream': gone => endlessStream(gone),
  'a PassThrough that is fed': gone => endlessStream(() => {}).pipe(new PassThrough().once('close', gone)),
  'a web stream': gone => endlessWeb(gone),
  'a web Response': gone => new Response(endlessWeb(gone)),
}

function endlessStream(gone: () => void): Readable {
  return new Readable({
    read() {
      setTimeout(() => !this.destroyed && this.push('x'.repeat(1000)), 1)
    },
    destroy(error, done) {
      gone()
      done(error)
    },
  })
}

function endlessWeb(gone: () => void): ReadableStream {
  return new ReadableStream({
    async pull(controller) {
      await new Promise(resolve => setTimeout(resolve, 1))
      controller.enqueue(Buffer.alloc(1000, 'x'))
    },
    cancel: gone,
  })
}

for (const [name, stream] of Object.entries(endless)) {
  test(`${name} is destroyed when its client goes, and kolba tells nobody`, async t => {
    for (const way of WAYS) {
      let isGone = false
      const { line, errors } = await asking(t, way, ctx => {
        ctx.body = stream(() => {
          isGone = true
        })
      })
      await line.until(text => text.length > 3000)
      t.false(isGone)
      line.socket.destroy()
      await until(() => isGone)
      await new Promise(resolve => setTimeout(resolve, 20))
      // A premature close in Koa, or what the system said of the last write.
      if (way === 'koa') await until(() => errors.length > 0)
      else t.deepEqual(errors, [], DIFFERENCES.goneClients.because)
    }
  })
}

for (const [name, stream] of Object.entries({
  'while a stream is written to it': endlessStream,
  'before the first byte of a stream': (gone: () => void) => new PassThrough().once('close', gone),
})) {
  test(`a connection that breaks ${name} is no error of kolba`, async t => {
    for (const way of ['use', 'route'] as const) {
      let isGone = false
      const { line, errors } = await asking(t, way, ctx => {
        ctx.body = stream(() => {
          isGone = true
        })
        // What the system says of a write to a client that has gone: before anything is known of the response.
        setTimeout(() => ctx.socket.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })), 20)
      })
      await line.closed
      await until(() => isGone)
      await new Promise(resolve => setTimeout(resolve, 20))
      t.deepEqual(errors, [], way)
    }
  })
}

test('a stream that has given nothing yet is destroyed when its client goes', async t => {
  for (const way of WAYS) {
    let body: PassThrough | undefined
    const { line } = await asking(t, way, ctx => {
      body = new PassThrough()
      ctx.body = body
    })
    await until(() => body !== undefined)
    t.false(body?.destroyed)
    line.socket.destroy()
    await until(() => body?.destroyed === true)
    t.pass()
  }
})

test('a client that goes before the first byte of a stream is no error of kolba', async t => {
  for (const way of ['use', 'route'] as const) {
    let body: PassThrough | undefined
    const { line, errors } = await asking(t, way, ctx => {
      body = new PassThrough()
      ctx.body = body
    })
    await until(() => body !== undefined)
    line.socket.destroy()
    await until(() => body?.destroyed === true)
    await new Promise(resolve => setTimeout(resolve, 30))
    t.deepEqual(errors, [], way)
  }
})

for (const [name, run] of Object.entries<(stream: Readable) => Run>({
  'a HEAD': stream => ctx => {
    ctx.body = stream
  },
  'a 204': stream => ctx => {
    ctx.body = stream
    ctx.status = 204
  },
  'another body': stream => ctx => {
    ctx.body = stream
    ctx.body = 'other'
  },
  'an error': stream => ctx => {
    ctx.body = stream
    throw new Error('other')
  },
  'ctx.respond = false': stream => ctx => {
    ctx.body = stream
    ctx.respond = false
    ctx.res.statusCode = 200
    ctx.res.end('other')
  },
})) {
  test(`a stream in whose place ${name} is sent is destroyed`, async t => {
    for (const way of WAYS) {
      const streams: Readable[] = []
      await talk(t, way, {
        ask: { method: name === 'a HEAD' ? 'HEAD' : 'GET' },
        run: (ctx, next) => {
          const stream = Readable.from(['a', 'b'])
          streams.push(stream)
          return run(stream)(ctx, next)
        },
      })
      await until(() => streams.every(({ destroyed }) => destroyed))
      t.is(streams.length, 2, way)
    }
  })
}

test('no descriptor of a file is left open when clients go in the middle of it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'large')
  writeFileSync(path, Buffer.alloc(50_000_000))
  const opened = () =>
    readdirSync('/proc/self/fd').filter(name => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`) === path
      } catch {
        return false
      }
    }).length
  for (const way of WAYS) {
    const all: ReturnType<typeof createReadStream>[] = []
    const run: Run = ctx => {
      const stream = createReadStream(path)
      all.push(stream)
      ctx.body = stream
    }
    const port = await portOf(t, appOf(way, { run, setup: app => void app.on('error', () => {}) }))
    const lines = Array.from({ length: 5 }, () => new Line(port).write(textOf()))
    for (const line of lines) await line.until(text => text.length > 100_000)
    for (const { socket } of lines) socket.destroy()
    await until(() => all.every(({ closed }) => closed))
    t.is(all.length, 5)
    if (process.platform === 'linux') t.is(opened(), 0, way)
  }
})

test('a body that is sent whole over a slow line arrives whole', async t => {
  for (const way of WAYS) {
    const run: Run = ctx => {
      ctx.body = Readable.from(Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(5000, '.')))
    }
    const { line, errors } = await asking(t, way, run)
    await line.until(text => text.includes('HTTP/1.1 200'))
    line.socket.pause()
    await new Promise(resolve => setTimeout(resolve, 20))
    line.socket.resume()
    await line.until(text => text.endsWith('\r\n0\r\n\r\n'))
    t.true(line.text.includes('199....'))
    t.deepEqual(errors, [])
    line.socket.destroy()
  }
})
