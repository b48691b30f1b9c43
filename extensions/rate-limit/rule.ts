import { kinds } from '../../src/index.ts'

export type Algorithm = 'fixed' | 'sliding' | 'gcra'

/** How much is let through, in whole numbers alone, so that every process and Redis come to the same answer. */
export interface Rule {
  readonly algorithm: Algorithm
  readonly limit: number
  /** In milliseconds. */
  readonly per: number
  /** How much fits at once: of `gcra` what the option says, else the limit. */
  readonly burst: number
}

/** A time: seconds, or text such as `'min'` and `'15min'`. */
export type Per = number | Unit | `${number}${Unit}`
type Unit = 's' | 'sec' | 'min' | 'h' | 'hour' | 'day'

/** A limit in one word: `'100/min'`, `'5/15min'`. */
export type Rate = `${number}/${Unit}` | `${number}/${number}${Unit}`

export interface RuleOptions {
  limit: number
  per: Per
  algorithm?: Algorithm
  burst?: number
}

const UNITS: Record<Unit, number> = { s: 1, sec: 1, min: 60, h: 3600, hour: 3600, day: 86_400 }
const PER = /^([1-9]\d{0,8})?(s|sec|min|h|hour|day)$/
const YEAR = 31_536_000

/**
 * Reads `'100/min'`.
 *
 * @throws TypeError for what is no such text
 */
export function readRate(rate: string): { limit: number; per: string } {
  const [, limit, per = ''] = /^([1-9]\d{0,14})\/(.*)$/.exec(rate) ?? []
  if (limit !== undefined && isPer(per)) return { limit: Number(limit), per }
  throw new TypeError(
    `rateLimit: ${JSON.stringify(rate)} is no limit. Write '100/min' or '5/15min', with a count above 0, and s, min, h or day, up to a year.`,
  )
}

/**
 * A rule of options, which have been checked one by one.
 *
 * @throws TypeError for numbers that do not go together
 */
export function readRule({ limit, per, algorithm = 'fixed', burst = limit }: RuleOptions): Rule {
  if (burst !== limit && algorithm !== 'gcra')
    throw new TypeError(`rateLimit: burst is an option of the algorithm gcra, and not of ${algorithm}. Leave it out.`)
  const rule = { algorithm, limit, per: secondsOf(per) * 1000, burst }
  // The products are counted with, and must not lose a digit.
  if (Number.isSafeInteger(rule.per * Math.max(limit, burst))) return rule
  throw new TypeError(`rateLimit: ${limit} in ${secondsOf(per)} s is too much to count. Give a shorter time.`)
}

/** Is it a whole number of seconds up to a year, or text that says so? */
export function isPer(value: unknown): boolean {
  if (typeof value === 'string') return PER.test(value) && secondsOf(value) <= YEAR
  return kinds.count.test(value) && (value as number) > 0 && (value as number) <= YEAR
}

function secondsOf(per: string | number): number {
  if (typeof per === 'number') return per
  const [, count = '1', unit] = PER.exec(per) as unknown as [string, string | undefined, Unit]
  return Number(count) * UNITS[unit]
}
