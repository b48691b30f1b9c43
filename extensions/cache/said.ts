import type { Directives } from './directives.ts'

/** What `cacheControl()` has said of an answer, for one further out, and for an answer that is kept. */
export const said: unique symbol = Symbol('kolba.said')

export interface Said {
  [said]?: { readonly directives: Directives; readonly text: string }
}
