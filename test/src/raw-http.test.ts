import { kolba } from 'kolba'
import { keepErrors } from '../support/log.ts'
import { exchange, Line, listening } from '../support/raw.ts'
import { testVectors } from '../support/vectors.ts'

interface Case {
  id: string
  b64: string
  /** What a bare node:http server said: the statuses in order, and whether it closed the connection. */
  baseline: { statuses: number[]; closed: boolean }
}

/** Where the first answer differs from that of a bare server, and why. */
const OTHERS: Record<string, number> = {
  // What comes behind `Connection: close` does not take the place of the answer to the request before it.
  'llhttp/connection/CRLF between requests, explicit `close`': 200,
  'llhttp/connection/No restart when keep-alive is off (1.0)': 200,
  // A method of RTSP is none that a route can have.
  'llhttp/method/ANNOUNCE request with RTSP': 405,
  // The target * is for OPTIONS alone.
  'llhttp/method/M-SEARCH request': 400,
}

testVectors('the app survives every request of the parser', 'raw-http/llhttp-requests.json', async (t, text) => {
  const { logger, errors } = keepErrors()
  const app = kolba({ signals: false, logger })
  app.all('/{*rest}', async ctx => {
    // An answer that waits for nothing would go out before the parser comes to what is wrong in the body.
    await undefined
    return `${ctx.method} ${ctx.path}`
  })
  const { port } = await listening(t, app)
  for (const { id, b64, baseline } of JSON.parse(text) as Case[]) {
    const line = new Line(port).write(Buffer.from(b64, 'base64'))
    // As many answers as a bare server gave, or the end of the connection; else the test does not end.
    await line.until(text => statusesOf(text).length >= baseline.statuses.length)
    line.socket.end()
    await line.closed
    const statuses = statusesOf(line.text)
    t.true(
      statuses.every(status => status < 500 || [501, 503, 505].includes(status)),
      `${id}: ${statuses}`,
    )
    t.is(statuses[0], OTHERS[id] ?? baseline.statuses[0], id)
  }
  t.deepEqual(errors, [])
  const [alive] = await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  t.is(alive?.body, 'GET /')
})

function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status))
}
