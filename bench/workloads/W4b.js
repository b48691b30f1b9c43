import { refused, requestsOfUsers } from '../shared/endpoint.js'
import { ask } from '../verify.js'

export const title = 'the whole endpoint, 304: the same requests with the ETag that the server gave'
export const servers = 'servers/endpoint'
export const alsoVerify = refused

/** The tag is the server's own, so it is asked for first. */
export async function requestsFor(url) {
  const requests = []
  for (const request of requestsOfUsers()) {
    const { headers } = await ask(url, request)
    const conditional = { ...request.headers, 'If-None-Match': headers.etag ?? '' }
    const expectHeaders = { 'cache-control': request.expectHeaders['cache-control'], etag: headers.etag }
    // Of the rate limit not all say something in a 304: hono/etag takes its headers away.
    const { path } = request
    requests.push({ path, status: 304, headers: conditional, expect: '', expectHeaders })
  }
  return requests
}
