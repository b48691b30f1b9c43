import { kinds } from '../../src/index.ts'
import { isStandardSchema } from '../../src/schema/index.ts'

interface Declared {
  readonly schemas: ReadonlyMap<number, unknown>
  readonly options: { readonly enforce?: boolean } | undefined
}

/** Their answers have no body: RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5. */
const EMPTY = [204, 205, 304]
const ADVICE = 'Give output(schema), output(201, schema) or output({ 200: schema, 404: schema }).'

/**
 * Reads `(schema)`, `(201, schema)` and `({ 200: schema })`, each with options after it.
 *
 * @throws TypeError for a status that is none, and where there is no schema
 */
export function readStatuses(given: readonly unknown[]): Declared {
  const [first, second, third] = given
  if (typeof first === 'number') return { schemas: toMap([[first, second]]), options: third as Declared['options'] }
  if (isMap(first)) {
    const entries = Object.entries(first).map(([name, schema]) => [/^\d+$/.test(name) ? Number(name) : name, schema])
    return { schemas: toMap(entries as [number, unknown][]), options: second as Declared['options'] }
  }
  const isNone = !isStandardSchema(first) && (!kinds.object.test(first) || Object.keys(first as object).length === 0)
  if (isNone) throw new TypeError(`output: there is no schema. ${ADVICE}`)
  return { schemas: toMap([[200, first]]), options: second as Declared['options'] }
}

function isMap(first: unknown): first is object {
  return (
    kinds.object.test(first) && !isStandardSchema(first) && Object.keys(first as object).some(it => /^\d+$/.test(it))
  )
}

function toMap(entries: readonly (readonly [number, unknown])[]): ReadonlyMap<number, unknown> {
  for (const [status, schema] of entries) {
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new TypeError(`output: ${status} is no status of a response. Give a whole number from 200 to 599.`)
    if (EMPTY.includes(status))
      throw new TypeError(`output: ${status} has no body. Leave it out; null passes undeclared.`)
    if (schema === undefined) throw new TypeError(`output: there is no schema for ${status}. ${ADVICE}`)
  }
  return new Map(entries)
}
