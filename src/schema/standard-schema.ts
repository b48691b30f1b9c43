import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isObject } from './json-schema.ts'

/** What a schema says is wrong: where, and a sentence that never has the value in it. */
export interface Fault {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export type Checked<T = unknown> = { readonly value: T; readonly faults?: undefined } | { readonly faults: Fault[] }

/** An issue, with what libraries say beside the standard. */
interface Issue extends StandardSchemaV1.Issue {
  readonly code?: string
  readonly keys?: readonly string[]
  readonly expected?: unknown
  readonly received?: unknown
  readonly actual?: unknown
  readonly problem?: string
}

export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  // A schema of arktype is a function.
  if (!isObject(value) && typeof value !== 'function') return false
  const its = (value as Partial<StandardSchemaV1>)['~standard']
  return its?.version === 1 && typeof its.validate === 'function'
}

/** The faults that the issues of a library are. */
export function toFaults(vendor: string, issues: readonly StandardSchemaV1.Issue[], input: unknown): Fault[] {
  return issues.flatMap((issue: Issue) => {
    // Not by map(), which gives the path of arktype its own kind of list.
    const path = Array.from(issue.path ?? [], step => toKey(typeof step === 'object' ? step.key : step))
    const message = sentence(SAFE[vendor]?.(issue) ?? withoutValue(issue, path, input))
    // zod has one issue for all properties that are too many.
    if (issue.code !== 'unrecognized_keys' || !issue.keys) return { path, message }
    return issue.keys.map(key => ({ path: [...path, key], message: 'This is not expected here.' }))
  })
}

/** How to say the messages of a library without the value, which some of them quote. Messages of the user's own stay. */
const SAFE: Record<string, (issue: Issue) => string> = {
  kolba: ({ message }) => message,
  zod: ({ message }) => message,
  valibot: ({ message, expected, received }) => {
    const quoted = typeof received === 'string' && message.endsWith(`received ${received}`)
    if (!quoted) return message
    if (expected === 'never') return 'This is not expected here'
    return received === 'undefined' || !expected ? 'This is missing or not of the right kind' : `Expected ${expected}`
  },
  arktype: ({ message, code, problem = '', expected, actual }) => {
    if (code === 'predicate' && expected === 'removed') return 'This is not expected here'
    const quoted = typeof actual === 'string' && actual !== '' && message.includes(`(was ${actual})`)
    if (!quoted) return problem && message.endsWith(problem) ? capital(problem) : message
    // What arktype expected of one of several types has the value in it again.
    return typeof expected === 'string' && !expected.includes('(was ') ? `Expected ${expected}` : GENERAL
  },
}

const GENERAL = 'This is not one of the values that are possible here'

/** A library that nobody has looked at: is the value, or its text, in the message? */
function withoutValue({ message }: Issue, path: Fault['path'], input: unknown): string {
  const value = path.reduce<unknown>((it, key) => (isObject(it) ? it[key as string] : undefined), input)
  const text = isObject(value) ? JSON.stringify(value) : String(value)
  return value !== undefined && message.includes(text) ? GENERAL : message
}

/** Where a fault is, as a JSON pointer in a fragment: RFC 6901 section 6. */
export function pointerOf(path: Fault['path']): string {
  const steps = path.map(step => String(step).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1'))
  return `#${steps.map(step => `/${encodeURIComponent(step)}`).join('')}`
}

function toKey(key: PropertyKey): string | number {
  return typeof key === 'symbol' ? String(key) : key
}

function sentence(message: string): string {
  const text = message.trim() || GENERAL
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
