import { show } from './check.ts'

/** Headers of a reply. A list is sent as one header line for each value. */
export type Headers = Readonly<Record<string, string | readonly string[]>>

/** A body with a status and headers. Made by `reply()`; a decorator on the way up may make another of it. */
export class Reply {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
  readonly #source: unknown

  constructor(status: number, body?: unknown, headers: Headers = {}, source?: unknown) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`reply: ${show(status)} is no status of a response. Give a whole number from 200 to 599.`)
    }
    this.status = status
    this.body = body
    this.headers = headers
    this.#source = source
  }

  /** What the body was rendered from, where a decorator has rendered it: for those above that look at the value. */
  get source(): unknown {
    return this.#source
  }
}

/**
 * A value with a status and headers; a plain value is a body with 200.
 *
 * @param status 200 to 599, RFC 9110 section 15
 * @throws RangeError for another status
 * @example return reply(202, { state: 'queued' }, { 'Retry-After': '5' })
 */
export function reply(status: number, body?: unknown, headers?: Headers): Reply {
  return new Reply(status, body, headers)
}

/**
 * 201 with `Location` (RFC 9110 section 15.3.2), and the new resource as the body if you like.
 *
 * @example return created(app.url(showBook, { id: book.id }), book)
 */
export function created(url: string, body?: unknown): Reply {
  return new Reply(201, body, { Location: location(url) })
}

/** 204: done, and there is nothing to say (RFC 9110 section 15.3.5). Returning `null` is the same. */
export function noContent(): Reply {
  return new Reply(204)
}

/**
 * A redirect: 302 unless another status is given (RFC 9110 section 15.4). 307 and 308 keep the method and the body.
 *
 * @throws RangeError for a status that is no redirect
 */
export function redirect(url: string, status: 301 | 302 | 307 | 308 = 302): Reply {
  if (![301, 302, 307, 308].includes(status))
    throw new RangeError(`redirect: ${show(status)} is no status for it. Give 301, 302, 307 or 308 after the URL.`)
  return new Reply(status, undefined, { Location: location(url) })
}

/** 303: the answer is at another URL, to be fetched with GET (RFC 9110 section 15.4.4). */
export function seeOther(url: string): Reply {
  return new Reply(303, undefined, { Location: location(url) })
}

const VISIBLE = /^[\x21-\x7e]*$/

/** Only what a URI may hold goes into the header; the rest is percent-encoded, line breaks included. */
function location(url: string): string {
  if (typeof url !== 'string')
    throw new TypeError(`Location: ${show(url)} is no URL. Give a string, app.url(handler, params).`)
  // A replacement that finds nothing takes 2 µs all the same.
  return VISIBLE.test(url) ? url : url.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}
