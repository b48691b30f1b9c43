// Where kolba does otherwise than Koa, on purpose: each with the reason for it, and with what it makes of Koa's answer.
// A test beside Koa names those that it meets; each has to be a difference there.
import { STATUS_CODES } from 'node:http'
import { ANY_ID, type Ask, type Seen, type Talk } from './beside-koa.ts'

interface Difference<More> {
  readonly because: string
  readonly of: (koa: Talk, more: More, ask: Ask) => Talk
}

export type Named = { readonly [Name in keyof typeof DIFFERENCES]?: Parameters<(typeof DIFFERENCES)[Name]['of']>[1] }

export const DIFFERENCES = {
  requestId: difference<true>({
    because: 'Every answer has the id under which the log knows the request.',
    of: each(seen => ({ ...seen, headers: [...seen.headers, `X-Request-Id: ${ANY_ID}`].sort() })),
  }),

  problem: difference<{ status?: number; detail?: string; keeps?: readonly string[] }>({
    because: 'An error, and a status of one that has no body, is a problem document (RFC 9457); Koa sends the phrase.',
    of: (talk, { status, detail, keeps = [] }, ask) =>
      each(seen => problemOf({ ...seen, line: status ? lineOf(status) : seen.line }, detail, keeps, ask))(talk),
  }),

  headersOfErrors: difference<readonly string[]>({
    because: 'Headers of an error are sent where it says whether it may be shown: others were for somebody else.',
    of: (talk, names) =>
      each(seen => ({ ...seen, headers: seen.headers.filter(it => !names.includes(it.split(':')[0] as string)) }))(
        talk,
      ),
  }),

  nothingInPieces: difference<true>({
    because:
      'Of a web Response without a body the length is known: zero. Koa sends it in chunks, of which there are none.',
    of: each(seen => ({
      ...seen,
      headers: seen.headers.map(it => it.replace('Transfer-Encoding: chunked', 'Content-Length: 0')).sort(),
    })),
  }),

  errors: difference<readonly string[]>({
    because: 'What kolba says of an error names the route, and what to do.',
    of: (talk, errors) => ({ ...talk, errors: talk.answers.length > 1 ? [...errors, ...errors] : errors }),
  }),

  target: reason(
    'The authority of an absolute target is the host, RFC 9112 section 3.2.2, and what looks at it later sees a path.',
  ),
  query: reason('A query has no prototype, so that no name means anything in it.'),
  proxy: reason('The proxies are named, and each is believed as far as it goes. All of them would be any client.'),
  headersOnTheResponse: reason('Every answer has the id under which the log knows the request, from the beginning.'),
  refusedRequests: reason('What two layers might read differently is refused before anything looks at it.'),
  refusedByTheApp: reason('A mistake is refused where it is made, with a sentence that says what to do.'),
  routesBehind: reason('The routes are the last of the middleware, so that each app.use() stands in front of them.'),
  returnedStrings: reason(
    "A returned string is text: a page is not to be made of a client's input by its first letter.",
  ),
  endsWhatHangs: reason(
    'An answer that nobody will end is given, or cut off, so that its client does not wait for ever.',
  ),
  beforeTheFirstByte: reason(
    'A stream that fails before its first byte is an error like others, and not a broken line.',
  ),
  toldOnce: reason(
    'Of a stream that breaks the app is told once; Koa may hear of it from the response that it took along, too.',
  ),
  goneClients: reason('A client that goes away is no error of the app.'),
  frozenErrors: reason('Nothing is written on an error that is needed for its answer.'),
  noCallAtTheEnd: reason('Nothing listens for the end of each answer, which costs more than routing does.'),
  log: reason('An error whose message nobody is shown is in the log, a 404 too, and a server error always.'),
} satisfies Record<string, Difference<never>>

/** A difference that is not one of an answer to the same request: its test says what it is. */
function reason(because: string): {
  readonly because: string
  readonly of: (koa: Talk, more: never, ask: Ask) => Talk
} {
  return { because, of: talk => talk }
}

function difference<More>(it: Difference<More>): Difference<More> {
  return it
}

function each(change: (seen: Seen) => Seen): (talk: Talk) => Talk {
  return talk => ({ ...talk, answers: talk.answers.map(change) })
}

function lineOf(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}`
}

const OF_THE_BODY = /^content-(?:type|length): /i

function problemOf({ line, headers }: Seen, detail: string | undefined, keeps: readonly string[], ask: Ask): Seen {
  const status = Number(line.split(' ')[1])
  const title = STATUS_CODES[status]
  const instance = ask.path?.replace(/\?.*$/, '') ?? '/'
  const about = status < 500 ? { detail, instance } : {}
  const body = JSON.stringify({ type: 'about:blank', title, status, ...about, requestId: ANY_ID })
  const its = ['Content-Type: application/problem+json', `Content-Length: ${Buffer.byteLength(body)}`]
  return {
    line,
    headers: [...headers.filter(it => !OF_THE_BODY.test(it)), ...keeps, ...its].sort(),
    body: ask.method === 'HEAD' ? '' : body,
  }
}
