import type { Awaitable } from '../context.ts'
import type { JsonSchema } from '../route.ts'
import { when } from '../when.ts'
import { withoutRequired } from './ajv.ts'
import { childOf, converter } from './convert.ts'
import { isObject, itemOf, type JsonObject, propertyOf } from './json-schema.ts'
import { hasKeyword, pruner } from './prune.ts'
import { type Refs, readRefs } from './references.ts'
import { type Checked, type Fault, prepareSchema } from './schema.ts'

// The way out of a value: what prepareSchema() is for the way in.

/** The schema of one status, made ready once. */
export interface Outgoing {
  /** The value as it may leave, without what is undeclared or `writeOnly`, and as it is checked. */
  readonly read: (value: unknown) => { sent: unknown; asJson: unknown }
  readonly check: (value: unknown) => Awaitable<Checked>
  /** Does the schema say what it declares? If not, only what it gives is known to be declared. */
  readonly isKnown: boolean
  /** As the client sees it. */
  readonly json: JsonSchema | undefined
}

/** @throws TypeError for what is no schema */
export function prepareOutgoing(where: string, schema: unknown): Outgoing {
  const prepared = prepareSchema(where, schema, 'output')
  // A schema takes what the handler returns, so its input is what leaves; what it would make of that is not sent.
  const { input, output = input } = prepared.json
  const taken = input ?? output
  if (!taken)
    return { read: value => ({ sent: value, asJson: value }), check: prepared.check, isKnown: false, json: undefined }
  const json = withoutRequired(taken, 'writeOnly')
  const refs = readRefs(where, json)
  const text = JSON.stringify(json)
  const forgive = (result: Checked) => withoutWriteOnly(result, json, refs)
  return {
    read: reader(json, refs, text.includes('"x-type":"Date"')),
    check: text.includes('"writeOnly":true')
      ? value => when(prepared.check(value), forgive) as Awaitable<Checked>
      : prepared.check,
    isKnown: true,
    json: asSent(output as JsonObject),
  }
}

/** A Date is sent as it is, for json() to say how, and checked as the text or the Date that the schema takes. */
function reader(json: JsonSchema, refs: Refs, takesDates: boolean): Outgoing['read'] {
  let hasDates = false
  const prune = pruner(json, refs, 'writeOnly', () => {
    hasDates = true
  })
  const convert = converter(json, refs, { text: false, dates: true })
  return value => {
    hasDates = takesDates
    const sent = prune(value)
    return { sent, asJson: hasDates ? convert(sent) : sent }
  }
}

/** A library may want the properties that never leave. */
function withoutWriteOnly(result: Checked, json: JsonSchema, refs: Refs): Checked {
  const faults = result.faults?.filter(({ path }) => !isWriteOnly(path, json, refs))
  if (!faults) return result
  return faults.length > 0 ? { faults } : { value: undefined }
}

function isWriteOnly(path: Fault['path'], json: JsonSchema, refs: Refs): boolean {
  let at: JsonSchema | undefined = json
  for (const step of path) {
    at = childOf(at, refs, propertyOf)(String(step)) ?? childOf(at, refs, itemOf)(Number(step))
    if (at === undefined) return false
    if (hasKeyword(at, refs, 'writeOnly')) return true
  }
  return false
}

/** The JSON Schema without the properties that never leave. */
function asSent<S>(schema: S): S {
  if (Array.isArray(schema)) return schema.map(asSent) as S
  if (!isObject(schema)) return schema
  const { properties, ...rest } = withoutRequired(schema, 'writeOnly') as JsonObject
  const copy = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, asSent(value)]))
  if (!isObject(properties)) return { ...copy, ...(properties !== undefined && { properties }) } as S
  const sent = Object.entries(properties).filter(([, its]) => !isObject(its) || its.writeOnly !== true)
  return { ...copy, properties: Object.fromEntries(sent.map(([name, its]) => [name, asSent(its)])) } as S
}
