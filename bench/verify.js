import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'

/** @throws Error where a server answers a request of the workload with other bytes or other headers than it should. */
export async function verify(who, url, requests) {
  for (const { method = 'GET', path, headers, body, expect, status = 200 } of requests) {
    const request = http.request(url + path, { method, headers, agent: false }).end(body)
    const [response] = await once(request, 'response')
    const answer = {
      status: response.statusCode,
      type: response.headers['content-type'],
      length: response.headers['content-length'],
      body: await text(response),
    }
    const length = String(Buffer.byteLength(expect))
    const wanted = { status, type: 'application/json; charset=utf-8', length, body: expect }
    for (const part of Object.keys(wanted)) {
      if (answer[part] === wanted[part]) continue
      const difference = `the ${part} is ${answer[part]} and should be ${wanted[part]}`
      throw new Error(`bench ${who}: ${method} ${path}: ${difference}. Correct the server.`)
    }
  }
}
