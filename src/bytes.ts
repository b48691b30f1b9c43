import { Stream } from 'node:stream'

/** Is it bytes already, or will it be: nothing to be written as JSON? */
export function isBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return (
    value instanceof Stream ||
    value instanceof Uint8Array ||
    Symbol.asyncIterator in value ||
    [Response, ReadableStream, Blob].some(type => value instanceof type)
  )
}
