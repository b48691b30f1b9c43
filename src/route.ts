import http from 'node:http'
import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { Handler } from './context.ts'
import type { Decorator } from './decorator.ts'

/** Every method that Node reads, except CONNECT, which is no request for a resource. */
export const METHODS: readonly string[] = http.METHODS.filter(method => method !== 'CONNECT')

/** A JSON Schema 2020-12, as data. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean

/** What is said of one status that a route may answer. */
export interface ResponseNote {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly description?: string; readonly schema?: JsonSchema }>>
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>>
}

/**
 * What a decorator does to the interface, in the words of OpenAPI 3.1. The core stores it and never reads it;
 * documentation, the route list and clients are made from it.
 */
export interface Note {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly deprecated?: boolean
  readonly parameters?: readonly {
    readonly name: string
    readonly in: 'path' | 'query' | 'header' | 'cookie'
    readonly required?: boolean
    readonly description?: string
    readonly schema?: JsonSchema
  }[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly description?: string
    readonly content: Readonly<Record<string, { readonly schema?: JsonSchema }>>
  }
  /** By status, as in `{ 304: { description: 'The tag still matches' } }`. */
  readonly responses?: Readonly<Record<number, ResponseNote>>
  /** Headers that every answer carries. */
  readonly headers?: Readonly<Record<string, { readonly description?: string; readonly schema?: JsonSchema }>>
  /** Security schemes by name, with the scopes that the route wants of each. Of those in one note one is enough. */
  readonly security?: Readonly<Record<string, { readonly scheme: object; readonly scopes?: readonly string[] }>>
  /** May a request come without any of them? */
  readonly isAnonymous?: boolean
}

/** A route as data: what `app.routes()` lists, `ctx.route` is, and a decorator may look at when it is registered. */
export interface Route {
  readonly methods: readonly string[]
  /** The whole path, prefixes included. */
  readonly path: string
  /** The endpoint's name, `books.show`; undefined for a handler without one. */
  readonly name: string | undefined
  /** The stack, outermost first, those of its groups and mounts included. */
  readonly decorators: readonly Decorator[]
  /** The handler itself, undecorated. */
  readonly handler: Handler
  /** What the decorators say of the interface, outermost first. */
  readonly notes: readonly Note[]
  readonly app: Kolba
  /** Is it what stands for all routes, where a decorator is given to `app.use`? */
  readonly isUse?: boolean
}

/** A route on its way from where it is defined to the app that answers it. */
export interface Entry {
  readonly methods: readonly string[]
  readonly path: string
  readonly name: string
  readonly decorators: readonly Decorator[]
  readonly handler: Handler
  /** The functions by which `app.url()` knows it. */
  readonly known: readonly Handler[]
  /** On what a mounted app has in place of routes: it is tried when no route fits, where there is anything to try. */
  readonly rest?: { readonly app: Koa; isOpen(): boolean }
}

/** `GET /books/:id`, as errors name a route; one for every method is `ALL /books/:id`. */
export function nameOf({ methods, path }: Pick<Route, 'methods' | 'path'>): string {
  return `${methods.length < METHODS.length ? methods.join('|') : 'ALL'} ${path}`
}

/**
 * Methods as they go on the wire, in capitals.
 *
 * @throws TypeError for a method that Node cannot read.
 */
export function checkMethods(where: string, methods: unknown): readonly string[] {
  const verbs = (Array.isArray(methods) ? methods : [methods]).map(method => String(method).toUpperCase())
  const unknown = verbs.find(verb => !METHODS.includes(verb))
  if (unknown?.startsWith('/'))
    throw new TypeError(
      `${where}: the methods stand before the path. Write route('GET', '${unknown.toLowerCase()}', ...).`,
    )
  if (unknown !== undefined || verbs.length === 0) {
    throw new TypeError(
      `${where}: ${unknown ?? 'an empty list'} is no method. Give one like 'GET' or ['PUT', 'PATCH'].`,
    )
  }
  return verbs
}
