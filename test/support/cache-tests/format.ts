/**
 * What a file of http-tests/cache-tests says: for each case a list of steps, each with what the client sends, what the
 * origin answers, and what a cache between them should do. Names are the file's own.
 */
export interface Suite {
  readonly id: string
  readonly tests: readonly Case[]
}

export interface Case {
  readonly id: string
  /** What a cache must do (the default), should do to be a good one, or may do, which is only asked. */
  readonly kind?: 'required' | 'optimal' | 'check'
  /** The cases without which this one says nothing. */
  readonly depends_on?: readonly string[]
  /** It is about the cache of a browser, which is private and has a reload button. */
  readonly browser_only?: boolean
  /** It is about CDN-Cache-Control, RFC 9213. */
  readonly cdn_only?: boolean
  readonly requests: readonly Step[]
}

/** A number is seconds from now, where the field is a date. `false`: the client does not have to get it. */
export type Field = readonly [name: string, value: string | number, isKept?: boolean]

/** A field by its name, with a value, or by two fields that are equal, or by a number that it is above. */
export type Expected = string | readonly [name: string, value: string] | readonly [string, '=' | '>', string | number]

export type Interim = readonly [status: number, fields?: readonly (readonly [string, string])[]]

export interface Step {
  readonly request_method?: string
  readonly request_headers?: readonly Field[]
  readonly request_body?: string
  readonly filename?: string
  readonly query_arg?: string
  /** If-Modified-Since is relative to the time of the last answer. */
  readonly magic_ims?: boolean
  /** The fields that have the date in the format of RFC 850. */
  readonly rfc850date?: readonly string[]

  readonly response_status?: readonly [number, string]
  readonly response_headers?: readonly Field[]
  readonly response_body?: string | null
  /** Location and Content-Location are below the URL of the request. */
  readonly magic_locations?: boolean
  /** In seconds. */
  readonly response_pause?: number
  readonly interim_responses?: readonly Interim[]
  /** The origin closes the connection without an answer. */
  readonly disconnect?: boolean

  /** Three seconds before the next step. */
  readonly pause_after?: boolean
  readonly expected_type?: 'cached' | 'not_cached' | 'etag_validated' | 'lm_validated'
  readonly expected_method?: string
  readonly expected_request_headers?: readonly (string | readonly [string, string])[]
  readonly expected_status?: number | null
  readonly expected_response_headers?: readonly Expected[]
  readonly expected_response_headers_missing?: readonly (string | readonly [string, string])[]
  readonly expected_response_text?: string | null
  readonly expected_interim_responses?: readonly Interim[]
  readonly check_body?: boolean
  /** What fails in this step is the preparation of the case, and not its point. */
  readonly setup?: boolean
  readonly setup_tests?: readonly string[]
}

const DATES = new Set(['date', 'expires', 'last-modified', 'if-modified-since', 'if-unmodified-since'])
const LOCATIONS = new Set(['location', 'content-location'])

export interface Place {
  /** In milliseconds. */
  readonly now: number
  /** The path of the request. */
  readonly path: string
}

/** A field as it is sent, from that place and at that time. */
export function textOf([name, value]: Field, step: Step, { now, path }: Place): string {
  const key = name.toLowerCase()
  if (DATES.has(key) && typeof value === 'number') {
    const date = new Date(now + value * 1000)
    return step.rfc850date?.includes(key) ? toRfc850(date) : date.toUTCString()
  }
  if (LOCATIONS.has(key) && step.magic_locations) return value ? `${path}/${value}` : path
  return String(value)
}

/** The fields of an answer, by lower-case name; a repeated one has several values. */
export function fieldsOf(step: Step, place: Place): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const field of step.response_headers ?? []) {
    const name = field[0].toLowerCase()
    fields.set(name, [...(fields.get(name) ?? []), textOf(field, step, place)])
  }
  return fields
}

export function isValidated({ expected_type }: Step): boolean {
  return expected_type === 'etag_validated' || expected_type === 'lm_validated'
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** `Sunday, 06-Nov-94 08:49:37 GMT` (RFC 9110 section 5.6.7). */
function toRfc850(date: Date): string {
  const [, day, month, year = '', time] = date.toUTCString().split(' ')
  return `${DAYS[date.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`
}
