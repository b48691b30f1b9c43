import { type AroundContext, type BaseContext, nameOf, Reply } from '../../src/index.ts'
import { type Fault, pointerOf } from '../../src/schema/index.ts'

export const NO_RESPONSE = 'a web Response cannot be looked into. Return the value, or reply(status, value, headers).'
export const RENDERED = 'this is JSON text already, which cannot be looked into. Put output() below json().'

export function undeclared(status: number, declared: readonly number[] = []): string {
  const said = `${declared.join(', ')} ${declared.length === 1 ? 'is' : 'are'} declared, and this is not`
  return `${said}. Declare it too, output(${status}, schema), or answer with what is declared.`
}

/** Text that has been rendered as JSON, here or in Koa's way. */
export function isRendered({ response }: BaseContext, given: unknown, body: unknown): boolean {
  if (typeof body !== 'string') return false
  const headers = Object.entries(given instanceof Reply ? given.headers : {})
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  return type === undefined ? Boolean(response.is('json', '+json')) : /[/+]json\b/i.test(String(type))
}

/** Logs a misfit in production, where it is not enforced; else it is an error. Neither says the value. */
export function report(ctx: AroundContext, status: number, faults: readonly Fault[], isEnforced: boolean): void {
  const errors = faults.map(({ path, message }) => ({ pointer: pointerOf(path), detail: message }))
  const said = errors.slice(0, FEW).map(({ pointer, detail }) => `${pointer} ${detail.replace(/[.!?]$/, '')}`)
  const more = errors.length > FEW ? `; and ${errors.length - FEW} more` : ''
  const what = `the value does not fit: ${said.join('; ')}${more}. Return what is declared, or declare what is returned.`
  const error = fault(ctx, status, what)
  if (isEnforced || ctx.app.env !== 'production') throw error
  ctx.app.logger.warn({ requestId: ctx.requestId, route: whereOf(ctx), status, errors }, error.message)
}

const FEW = 5

export function fault(ctx: AroundContext, status: number, what: string): TypeError {
  return new TypeError(`${whereOf(ctx)}: output ${status}: ${what}`)
}

function whereOf({ route, method, path }: AroundContext): string {
  return route ? nameOf(route) : `${method} ${path}`
}
