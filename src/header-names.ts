import type { BaseContext } from './context.ts'
import { Reply } from './reply.ts'
import { fields, given, isOpen, type Shaped, self } from './shaped.ts'

/** The names of the headers on the answer, as `ctx.res.getHeaderNames` has them, without making a response for that. */
export function headerNamesOn(ctx: BaseContext): string[] {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  if (!its || its[isOpen] || its[given] instanceof Reply) return ctx.res.getHeaderNames()
  return its[fields]?.filter((_, index) => index % 2 === 0).map(name => name.toLowerCase()) ?? []
}
