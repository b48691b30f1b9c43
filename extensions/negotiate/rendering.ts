import { Stream } from 'node:stream'
import { type Awaitable, type BaseContext, isWebStream, nameOf } from '../../src/index.ts'

/** What a rendering gives: text, bytes, or what gives them piece by piece. */
export type Rendered = string | Uint8Array | NodeJS.ReadableStream | ReadableStream | Blob | AsyncIterable<unknown>

/** Makes a representation of a value. */
export interface Rendering<in T = unknown> {
  (value: T, ctx: BaseContext): Awaitable<Rendered>
  /** What the Content-Type says beside the type, `header=present`. */
  readonly parameters?: string
}

/** Rows one by one as they come: an async generator, or a stream of objects, as databases have it. */
export function isFlowing(value: unknown): value is AsyncIterable<unknown> {
  if (value instanceof Stream) return (value as { readableObjectMode?: boolean }).readableObjectMode === true
  if (isWebStream(value) || typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value
}

/** JSON as `json()` writes it by default: through `toJSON`, a BigInt as text. Undefined where there is none. */
export function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!/BigInt/.test(String(error))) throw error
    return JSON.stringify(value, (_name, it) => (typeof it === 'bigint' ? String(it) : it))
  }
}

/** Runs what renders; where it fails the log has the route's name. */
export function rendered<R>(ctx: BaseContext, name: string, run: () => R | undefined): R {
  let result: R | undefined
  let cause: unknown
  try {
    result = run()
  } catch (error) {
    cause = error
  }
  if (result !== undefined) return result
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : 'there is no JSON for it'
  throw new TypeError(`${placeOf(ctx)}: ${name} cannot render the value: ${reason}.`, { cause })
}

/** `GET /books`, for an error. */
export function placeOf({ route, method, path }: BaseContext): string {
  return route ? nameOf(route) : `${method} ${path}`
}
