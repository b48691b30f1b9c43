import { toDocument, toError, toProblem } from '../../src/detached/index.ts'
import { type BaseContext, type Problem, statusOf } from '../../src/index.ts'
import { type Answer, answerOf, answerText, whereOf } from './answer.ts'
import { PROBLEM } from './outcome.ts'
import type { Failure } from './work.ts'

/** A handler has given the status of an error, with a body of its own: it has failed, whatever way it says so. */
class Refused extends Error {
  override readonly name = 'Refused'
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`The handler gave the status ${answer.status}.`)
    this.answer = answer
  }
}

/** @throws Refused for the status of an error, with which nothing has succeeded */
export function accepted(answer: Answer): Answer {
  if (answer.status >= 400) throw new Refused(answer)
  return answer
}

/** What is gone when it is asked for again may be there; the others would say the same each time (RFC 9110 section 15.5). */
const PASSING = new Set([408, 425, 429])

function isPermanent(thrown: unknown, status: number): boolean {
  if ((thrown as { retry?: unknown } | null | undefined)?.retry === false) return true
  return status < 500 && !PASSING.has(status)
}

/** What an error comes to in an app. */
export async function failureOf(ctx: BaseContext, thrown: unknown): Promise<Failure> {
  const where = whereOf(ctx)
  const { inside } = ctx.app
  if (thrown instanceof Refused) return refusedFailure(where, thrown, error => inside.tell(error, ctx))
  // What was said of the answer that there will not be.
  for (const name of ctx.res.getHeaderNames()) ctx.remove(name)
  const refusal = await inside.problemOf(ctx, thrown)
  if (!refusal) return mappedFailure(ctx, where, thrown)
  const { error, problem } = refusal
  const text = problemText(where, problem, ctx.requestId)
  return { error, isPermanent: isPermanent(thrown, problem.status), text, tell: () => inside.tell(error, ctx) }
}

/** What `onError` has answered stands on ctx, and was told when it did. What cannot be kept of it is a failure as well. */
async function mappedFailure(ctx: BaseContext, where: string, thrown: unknown): Promise<Failure> {
  const its = { error: toError(thrown), isPermanent: isPermanent(thrown, statusOf(ctx)) }
  try {
    return { ...its, text: answerText(where, await answerOf(ctx, undefined)), tell() {} }
  } catch (another) {
    const error = toError(another)
    const text = problemText(where, toProblem(error), ctx.requestId)
    return { ...its, text, tell: () => ctx.app.inside.tell(error, ctx) }
  }
}

function refusedFailure(where: string, error: Refused, tell: (error: Error) => void): Failure {
  const { status } = error.answer
  const text = answerText(where, error.answer)
  return { error, isPermanent: isPermanent(error, status), text, tell: () => (status >= 500 ? tell(error) : undefined) }
}

/** What an error comes to that no app knows of. */
export function plainFailure(where: string, thrown: unknown, tell: (error: Error) => void): Failure {
  if (thrown instanceof Refused) return refusedFailure(where, thrown, tell)
  const error = toError(thrown)
  const problem = toProblem(error)
  const text = problemText(where, problem, undefined)
  return { error, isPermanent: isPermanent(thrown, problem.status), text, tell: () => tell(error) }
}

/** A problem document, which is another resource's when it is asked for, and so has no `instance` yet. */
function problemText(where: string, problem: Problem, requestId: string | undefined): string {
  const body = { ...toDocument(problem, undefined, requestId ?? ''), requestId }
  return answerText(where, { status: problem.status, headers: { ...problem.headers, 'Content-Type': PROBLEM }, body })
}
