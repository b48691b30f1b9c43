import { excessOf } from '../../src/body/body.ts'
import { object } from './json.ts'

/** What a token says, RFC 7519 section 4. It is frozen, because it may be kept for the next request. */
export interface Claims {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  /** Seconds since 1970, as `nbf` and `iat`. */
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly jti?: string
  readonly [claim: string]: unknown
}

/** What a token has to say. */
export interface Expected {
  /** Undefined where any will do. */
  readonly issuers: readonly string[] | undefined
  readonly audiences: readonly string[] | undefined
  readonly mustExpire: boolean
  /** Seconds by which clocks may differ. */
  readonly leeway: number
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isAudience = (value: unknown) => isText(value) || (Array.isArray(value) && value.every(isText))

/** The registered claims, which are of these types wherever they are. `1e400` is a number that is not finite. */
const TYPES: readonly [string, (value: unknown) => boolean][] = [
  ['iss', isText],
  ['sub', isText],
  ['aud', isAudience],
  ['exp', isTime],
  ['nbf', isTime],
  ['iat', isTime],
  ['jti', isText],
]

/** The claims in a payload; undefined where they are no JSON object, or a registered one is of a wrong type. */
export function readClaims(payload: Buffer): Claims | undefined {
  const claims = object(payload)
  if (!claims || excessOf(claims, { depth: 32, keys: 1000 })) return
  if (TYPES.some(([name, fits]) => Object.hasOwn(claims, name) && !fits(claims[name]))) return
  return frozen(claims)
}

/** Are these the claims of a token for us? The times are for `timeOf` to look at. */
export function areForUs({ iss, aud, exp }: Claims, { issuers, audiences, mustExpire }: Expected): boolean {
  if (issuers && (iss === undefined || !issuers.includes(iss))) return false
  if (audiences && ![aud ?? []].flat().some(it => audiences.includes(it))) return false
  return exp !== undefined || !mustExpire
}

/** RFC 7519 sections 4.1.4 and 4.1.5: not before `nbf`, and not at `exp` nor after it, but for the leeway. */
export function timeOf({ exp, nbf }: Claims, leeway: number): 'early' | 'now' | 'over' {
  const now = Date.now() / 1000
  if (exp !== undefined && now >= exp + leeway) return 'over'
  return nbf !== undefined && now < nbf - leeway ? 'early' : 'now'
}

/** At most 32 levels, so it may call itself. */
function frozen<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) frozen(child)
  return Object.freeze(value)
}
