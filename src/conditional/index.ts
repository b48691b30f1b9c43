// What extensions need of preconditions. It is not part of `kolba`, which loads none of it.

export { type CurrentOptions, currentReader, isReading, type ReadCurrent, type Reading } from './current.ts'
export { readDate, writeDate } from './http-date.ts'
export {
  type Current,
  type EntityTag,
  evaluate,
  hasPreconditions,
  isCurrentRange,
  isPlainlyCurrent,
  malformed,
  type Preconditions,
  type RequestHeaders,
  readPreconditions,
  readTag,
  readTags,
  strongMatch,
  type Tags,
  type Verdict,
  weakMatch,
  writeTag,
} from './preconditions.ts'
export { encodeForTag, forRepresentation } from './representation.ts'
export { resourceOf } from './resource.ts'
export { inTurn } from './turns.ts'
