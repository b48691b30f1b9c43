import { Stream } from 'node:stream'
import { isResponse, isWebStream } from './web.ts'

/** Is it bytes already, or will it be: nothing to be written as JSON? */
export function isBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return (
    value instanceof Stream ||
    value instanceof Uint8Array ||
    Symbol.asyncIterator in value ||
    value instanceof Blob ||
    isWebStream(value) ||
    isResponse(value)
  )
}
