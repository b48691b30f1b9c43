/**
 * Schemas for the common case, without a library: each is a Standard Schema (v1) that can say itself as JSON Schema.
 *
 * They take values, not text: `int()` refuses `"5"` in a JSON body. In a path, a query, a header, a cookie and a form
 * all is text, and `input()` converts that by the schema's JSON Schema before the schema sees it.
 *
 * An object gives its declared properties and no others. All faults are found, not only the first. `undefined` is a
 * property that is not there; `null` fits only where `nullable()` or `oneOf(null)` says so.
 *
 * @example
 * const order = object({
 *   id: readOnly(int()),
 *   customer: uuid(),
 *   lines: list(object({ article: text({ max: 40 }), quantity: optional(int({ min: 1 }), 1) }), { min: 1 }),
 * })
 * app.post('/orders', input({ body: order }), ctx => place(ctx.input.body))
 */
export { type ListOptions, list } from './schema/list.ts'
export type { Schema } from './schema/make.ts'
export { nullable, optional, readOnly, writeOnly } from './schema/modifiers.ts'
export { type ObjectOptions, object } from './schema/object.ts'
export { type TextOptions, text } from './schema/text.ts'
export { date, flag, float, int, oneOf, uuid } from './schema/values.ts'
