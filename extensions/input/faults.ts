import { type Problem, problem } from '../../src/index.ts'
import { type Fault, pointerOf } from '../../src/schema/index.ts'
import { IN, type Part } from './part.ts'

export interface SaidFault {
  readonly in: string
  /** A JSON pointer, as a fragment: RFC 6901 section 6. */
  readonly pointer?: string
  readonly parameter?: string
  readonly detail: string
}

/** A fault in the words of the problem document. */
export function say({ place }: Part, { path, message: detail }: Fault): SaidFault {
  if (place === 'body') return { in: 'body', pointer: pointerOf(path), detail }
  return { in: IN[place], ...(path.length > 0 && { parameter: String(path[0]) }), detail }
}

/** All faults in one problem. */
export function refusal(errors: readonly SaidFault[]): Problem {
  const some = errors.length === 1 ? 'One thing in the request does' : `${errors.length} things in the request do`
  return problem(422, { detail: `${some} not fit. See errors.`, errors })
}
