import type { Problem, Reply } from '../../src/index.ts'
import type { AnySchema, InputOf } from '../../src/schema/index.ts'

/** Schemas by status, `{ 200: book, 404: nothing }`. */
export interface StatusSchemas {
  readonly [status: number]: AnySchema
}

/**
 * What a handler may return where this is what goes out: more properties too, and anything of which `toJSON` gives it,
 * such as a Date for text.
 */
export type Given<T> = unknown extends T
  ? unknown
  : T extends Date
    ? Date | string
    : T extends readonly unknown[]
      ? { readonly [K in keyof T]: Given<T[K]> } | Json<T>
      : T extends object
        ? { readonly [K in keyof T]: Given<T[K]> } | Json<T>
        : T | Json<T>

interface Json<T> {
  toJSON(key?: string): T
}

/** A value has the status 200; one for another status comes as a Reply, which does not say what is in it. */
export type ReplyOf<S> = PlainOf<S> | Reply | Response | Problem | null

type PlainOf<S> = S extends AnySchema ? Given<InputOf<S>> : unknown

/** What a handler returns under schemas by status. */
export type ReplyByStatus<S> = S extends { readonly 200: infer Schema } ? ReplyOf<Schema> : unknown
