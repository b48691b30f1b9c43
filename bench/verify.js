import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'

/** @throws Error where a server answers a request of the workload with other bytes or other headers than it should. */
export async function verify(who, url, requests) {
  const agent = new http.Agent({ keepAlive: true })
  try {
    for (const request of requests) await verifyOne(who, url, request, agent)
  } finally {
    agent.destroy()
  }
}

async function verifyOne(who, url, wanted, agent) {
  const answer = await ask(url, wanted, agent)
  const { method = 'GET', path, expect, expectHeaders = {}, expectSome, status = 200 } = wanted
  const compare = (part, found, should) => {
    const fits = should instanceof RegExp ? should.test(found) : found === should
    if (!fits)
      throw new Error(
        `bench ${who}: ${method} ${path}: the ${part} is ${found} and should be ${should}. Correct the server.`,
      )
  }
  compare('status', String(answer.status), status instanceof RegExp ? status : String(status))
  for (const [name, should] of Object.entries(expectHeaders)) compare(`header ${name}`, answer.headers[name], should)
  if (expectSome)
    compare(
      'names of the headers',
      Object.keys(answer.headers).find(name => expectSome.test(name)),
      expectSome,
    )
  if (expect === undefined) return
  compare('body', answer.body, expect)
  if (expect === '') return
  compare('type', answer.headers['content-type'], 'application/json; charset=utf-8')
  compare('length', answer.headers['content-length'], String(Buffer.byteLength(expect)))
}

/** One request, and all of its answer. */
export async function ask(url, { method = 'GET', path, headers, body }, agent = false) {
  const request = http.request(url + path, { method, headers, agent }).end(body)
  const [response] = await once(request, 'response')
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}
