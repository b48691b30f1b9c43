import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import { kolba } from 'kolba'
import { Line, listening } from '../support/raw.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** An app that shows its requests to `see`, and a connection to it. */
async function seeing(t: ExecutionContext, see: (req: IncomingMessage) => unknown): Promise<Line> {
  const app = kolba({ signals: false })
  app.all('/', ({ req }) => {
    see(req)
    return 'seen'
  })
  const { port } = await listening(t, app)
  return new Line(port)
}

for (const name of ['end', 'close']) {
  test(`a request ends as Node has it where somebody listens for its ${name}`, async t => {
    let hear: (req: IncomingMessage) => void = () => {}
    const heard = new Promise<IncomingMessage>(resolve => {
      hear = resolve
    })
    const line = await seeing(t, req => req.on(name, () => hear(req)))
    await line.write(GET).next()
    const { readableEnded } = await heard
    t.true(readableEnded)
    t.is((await line.write(GET).next(2)).body, 'seen')
  })
}

test('a request without content ends without a word where nobody listens', async t => {
  const requests: IncomingMessage[] = []
  const line = await seeing(t, req => requests.push(req))
  // Two at once, and one when the connection has been idle.
  await line.write(GET + GET).next(2)
  await turn()
  t.is((await line.write(GET).next(3)).body, 'seen')
  await turn()
  t.deepEqual(
    requests.map(({ complete, readableEnded }) => [complete, readableEnded]),
    requests.map(() => [true, false]),
  )
  t.is(requests.length, 3)
  t.is(await text(requests[0] as IncomingMessage), '', 'it can be read to its end at any time')
})

test('what is left of a request is read, so that the next one is answered', async t => {
  const requests: IncomingMessage[] = []
  const line = await seeing(t, req => requests.push(req))
  const content = 'x'.repeat(300_000)
  const length = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${content.length}\r\n\r\n${content}`
  const chunks = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
  const answer = await line.write(length + chunks + GET).next(3)
  t.is(answer.body, 'seen')
  t.deepEqual(
    requests.map(({ method }) => method),
    ['POST', 'POST', 'GET'],
  )
  const [first] = requests as [IncomingMessage]
  if (!first.readableEnded) await once(first, 'end')
  t.true(first.readableEnded)
})

test('an idle connection does not hold the request that was answered last', async t => {
  let seen: WeakRef<IncomingMessage> | undefined
  const line = await seeing(t, req => {
    seen = new WeakRef(req)
  })
  await line.write(GET).next()
  // A reference is held to the end of the turn in which it was made or read.
  for (let tries = 0; tries < 20 && seen?.deref(); tries += 1) {
    await turn()
    collect()
  }
  t.false(line.socket.destroyed)
  t.is(seen?.deref(), undefined)
})
