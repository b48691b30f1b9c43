import { STATUS_CODES } from 'node:http'
import { inspect } from 'node:util'
import { kinds, show } from './check.ts'
import type { Headers } from './reply.ts'

/** The members of a problem: those of RFC 9457 section 3.1, headers for the response, and any extension members. */
export interface ProblemMembers {
  /** A URI that names the kind of problem; `about:blank` where the status says it all. */
  readonly type?: string
  /** The kind in a few words, the same each time; the status's own phrase where `type` is not given. */
  readonly title?: string
  /** What went wrong this time, and what to do about it. Never sent with a 5xx outside `debug`. */
  readonly detail?: string
  /** A URI reference of this occurrence; the path of the request where it is not given. */
  readonly instance?: string
  /** Headers of the response, `{ 'Retry-After': '60' }`. */
  readonly headers?: Headers
  readonly [extension: string]: unknown
}

/** An error that is sent to the client as a problem document, RFC 9457. Made by `problem()`. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly headers: Headers
  /** The members to send, headers not among them. */
  readonly members: Readonly<Record<string, unknown>>
  /** In the words of Koa: may the message be shown? */
  readonly expose: boolean

  constructor(status: number, { headers = {}, ...members }: ProblemMembers = {}, options?: ErrorOptions) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`problem: ${show(status)} is no status of an error. Give a whole number from 400 to 599.`)
    }
    const title = members.title ?? STATUS_CODES[status] ?? 'Unknown Error'
    super(members.detail ?? title, options)
    this.status = status
    this.headers = headers
    this.members = { type: 'about:blank', title, ...members }
    this.expose = status < 500
  }
}

/**
 * An error to throw: the client gets it as `application/problem+json` (RFC 9457).
 *
 * @param status 400 to 599
 * @throws RangeError for another status
 * @example throw problem(409, { detail: 'This ISBN is on the shelf already.', isbn })
 */
export function problem(status: number, members?: ProblemMembers, options?: ErrorOptions): Problem {
  if (members !== undefined && !kinds.object.test(members))
    throw new TypeError(`problem: ${show(members)} is no object of members. Write problem(${status}, { detail: ... }).`)
  return new Problem(status, members, options)
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]') return thrown as Error
  return new TypeError(
    `${inspect(thrown, { depth: 1, maxStringLength: 200, breakLength: Number.POSITIVE_INFINITY })} was thrown. Throw an Error, or problem(status).`,
    { cause: thrown },
  )
}

/**
 * The problem that an error is to the client. An error of koa or http-errors keeps its status, its headers, and its
 * message where that is exposed; one with a status below 400 is a 500 all the same.
 */
export function toProblem(error: Error): Problem {
  if (error instanceof Problem) return error
  const { status, statusCode, expose, headers } = error as unknown as Record<string, unknown>
  const code = [status, statusCode].find(
    code => kinds.count.test(code) && (code as number) >= 400 && (code as number) <= 599,
  )
  const detail = expose === true && code !== undefined ? { detail: error.message } : {}
  // An error of a library may carry headers that were for somebody else; one that is to be shown says so.
  const its = typeof expose === 'boolean' && kinds.object.test(headers) ? { headers: headers as Headers } : {}
  return new Problem((code as number) ?? 500, { ...detail, ...its }, { cause: error })
}

/** The document itself. A 5xx says nothing of what happened inside, unless `debug` is on. */
export function toDocument(
  { status, members }: Problem,
  instance: string | undefined,
  requestId: string,
  debug?: Error,
): object {
  const { type, title, detail, status: _, ...extensions } = members
  if (debug) {
    const stack = debug.stack?.split('\n')
    return { type, title, status, detail, instance, requestId, ...extensions, message: debug.message, stack }
  }
  if (status >= 500) return { type, title, status, requestId }
  return { type, title, status, detail, instance, requestId, ...extensions }
}
