import { type Problem, type ProblemMembers, problem } from '../../src/index.ts'

/** Why credentials are not accepted, or why a request with them cannot be read. */
export interface Refusal {
  readonly status: 400 | 401
  /** For people; it names no part of what was sent. */
  readonly detail: string
  /** The challenge of the scheme that refuses, as it stands among all those of the route. */
  readonly challenge: string
  /** What the scheme adds to its challenge, `error` and `error_description` of RFC 6750 section 3. */
  readonly params?: Readonly<Record<string, string>>
}

/** The kinds of text that a parameter of a challenge may hold: printable ASCII, RFC 9110 section 5.6.4. */
export const printable = {
  words: 'a string of printable ASCII characters',
  test: (value: unknown) => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value),
}

/** A challenge (RFC 9110 section 11.6.1): `Bearer realm="api"`. */
export function challengeOf(scheme: string, params: Readonly<Record<string, string>>): string {
  return `${scheme} ${written(params)}`
}

/** A challenge with more parameters, as strings in quotes. */
export function extended(challenge: string, params: Readonly<Record<string, string>>): string {
  return `${challenge}, ${written(params)}`
}

function written(params: Readonly<Record<string, string>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`)
    .join(', ')
}

/** 401 or 400 with every challenge of the route, each on a line of its own; that of the scheme that refuses says why. */
export function refused({ status, detail, challenge, params }: Refusal, challenges: readonly string[]): Problem {
  return challenged(
    status,
    challenges.map(it => (it === challenge && params ? extended(it, params) : it)),
    { detail },
  )
}

/** 401: there are no credentials at all, so no challenge has an error (RFC 6750 section 3.1). */
export function missing(challenges: readonly string[]): Problem {
  return challenged(401, challenges, { detail: 'This needs credentials. WWW-Authenticate says which.' })
}

export function challenged(status: number, challenges: readonly string[], members: ProblemMembers): Problem {
  return problem(status, { ...members, headers: { 'WWW-Authenticate': challenges } })
}
