import { isAscii, isUtf8 } from 'node:buffer'
import { type Problem, problem } from '../problem.ts'

export interface ParseLimits {
  depth: number
  keys: number
}

/** Bytes to a value. */
export type Parse = (bytes: Buffer, limits: ParseLimits) => unknown

/** Text in UTF-8, without a byte order mark, which RFC 8259 section 8.1 and the encoding standard let a reader ignore. */
export function parseText(bytes: Buffer): string {
  // ASCII is the same in Latin-1, which needs no decoding.
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (!isUtf8(bytes)) throw malformed('The body is not UTF-8.')
  const text = bytes.toString()
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

export function parseJson(bytes: Buffer, limits: ParseLimits): unknown {
  const text = parseText(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // Some of these messages quote the input, so the place counts at the end alone.
    const place = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(String(error))
    throw malformed(`The body is not JSON${place ? `, from character ${place[1]} on` : ''}.`)
  }
  const excess = mayExceed(text, limits) && excessOf(value, limits)
  if (excess) throw malformed(`The JSON ${excess}.`)
  return value
}

/**
 * May JSON have too much in it? Of most the text says no, and nobody needs to look through the value: a name takes four
 * characters (`"":1`) and a level one that opens it, and the names that reach a prototype have `proto` in them,
 * unless that is escaped.
 */
export function mayExceed(text: string, { depth, keys }: ParseLimits): boolean {
  if (text.length > keys * 4 || text.includes('proto') || text.includes('\\u')) return true
  return countOf('{', text, depth) + countOf('[', text, depth) > depth
}

/** How often a character is there, counted until it is more than so many. */
function countOf(character: string, text: string, most: number): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0 && count <= most; at = text.indexOf(character, at + 1)) count += 1
  return count
}

/**
 * What is too much in JSON: levels, names, or one of the names that would reach a prototype; undefined for nothing. It
 * looks at one level after the other, because a function that calls itself would run out of stack at thousands of them.
 */
export function excessOf(value: unknown, limits: ParseLimits): string | undefined {
  let names = 0
  let level = [value].filter(isObject)
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > limits.depth) return `is nested deeper than ${limits.depth} levels`
    const below: object[] = []
    for (const parent of level) {
      const own = Array.isArray(parent) ? [] : Object.keys(parent)
      names += own.length
      if (names > limits.keys) return `has more than ${limits.keys} names`
      if (own.includes('__proto__')) return 'has the name __proto__'
      if (own.includes('constructor') && hasPrototype(parent.constructor))
        return 'has the name prototype in a constructor'
      for (const child of Object.values(parent)) if (isObject(child)) below.push(child)
    }
    level = below
  }
  return undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function hasPrototype(value: unknown): boolean {
  return isObject(value) && Object.hasOwn(value, 'prototype')
}

/** `a=1&b=2&b=3`, as the URL standard reads it, except that broken percent-encoding is refused; without a prototype. */
export function parseForm(bytes: Buffer, { keys }: ParseLimits): Record<string, string | string[]> {
  const form = Object.create(null)
  const pairs = parseText(bytes)
    .split('&')
    .filter(pair => pair !== '')
  if (pairs.length === 1 && /^\s*[{[]/.test(pairs[0] as string))
    throw problem(415, { detail: 'This form looks like JSON. Send it with Content-Type: application/json.' })
  if (pairs.length > keys) throw malformed(`The form has more than ${keys} fields.`)
  for (const pair of pairs) {
    const [, name, value] = (/^([^=]*)=?(.*)$/s.exec(pair) as RegExpExecArray).map(unescapeForm) as [
      string,
      string,
      string,
    ]
    if (name === '__proto__') throw malformed(`The form has the name ${name}.`)
    const before = form[name]
    if (before === undefined) form[name] = value
    else if (Array.isArray(before)) before.push(value)
    else form[name] = [before, value]
  }
  return form
}

function unescapeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('The percent-encoding of the form is malformed, or is not of UTF-8.')
  }
}

function malformed(detail: string): Problem {
  return problem(400, { detail })
}
