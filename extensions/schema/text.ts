import { checkOptions, type Kind, kinds } from '../../src/index.ts'
import { Faults, makeSchema, type Schema, same } from './make.ts'
import { checkPattern } from './pattern.ts'

const pattern: Kind = { words: 'a RegExp', test: value => value instanceof RegExp }

export interface TextOptions {
  /** Characters at least. @default 0 */
  min?: number
  /** Characters at most. @default 10000, or 256 where there is a pattern */
  max?: number
  /** What it must match somewhere, so write `^` and `$`. One that takes exponential time is refused. */
  pattern?: RegExp
}

/**
 * Text. A character is a Unicode code point, so an emoji is one or a few and never half of one: text with half a
 * surrogate pair, which has no UTF-8, does not fit.
 *
 * A pattern may take the square of the length in time, and so the length has a bound of its own where there is one.
 */
export function text(options: TextOptions = {}): Schema<string> {
  checkOptions('text', options, { min: kinds.count, max: kinds.count, pattern })
  const { min = 0, pattern: given, max = given ? 256 : 10_000 } = options
  if (min > max) throw new TypeError(`text: min ${min} is more than max ${max}. Exchange them.`)
  const match = given && checkPattern('text', given)
  const lengths = options.min === undefined ? `at most ${max}` : `${min} to ${max}`
  const faults = {
    kind: 'Expected text.',
    length: `Expected text of ${lengths} characters.`,
    pattern: 'This is not in the form that is expected.',
  }
  const read = (value: unknown) => {
    if (typeof value !== 'string') return new Faults(faults.kind)
    const units = value.length
    // A character has one code unit or two, so that counting is needed only near the bounds.
    if ((units > max || units < min * 2) && !hasLength(value, min, max)) return new Faults(faults.length)
    if (!value.isWellFormed()) return new Faults(faults.kind)
    return match && !match.test(value) ? new Faults(faults.pattern) : value
  }
  const json = {
    type: 'string',
    ...(min > 0 && { minLength: min }),
    maxLength: max,
    ...(match?.flags.replace('u', '') === '' && { pattern: match.source }),
  }
  return makeSchema(read, same(json))
}

function hasLength(text: string, min: number, max: number): boolean {
  if (text.length < min || text.length > max * 2) return false
  let points = 0
  for (const _ of text) points += 1
  return points >= min && points <= max
}
