// What extensions need of preconditions. It is not part of `kolba`, which loads none of it.

export { readDate, writeDate } from './http-date.ts'
export {
  type Current,
  type EntityTag,
  evaluate,
  hasPreconditions,
  isCurrentRange,
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
