import { pointerOf } from '../../../src/schema/index.ts'
import type { Paging, Part } from '../query.ts'
import type { Resource } from '../resource.ts'
import { shortened } from '../words.ts'

/** Where in a request something stands: a parameter of the URL or a place in the body, and which part of it. */
export interface Place {
  readonly parameter?: string
  /** The way into its JSON, or into that of the body. */
  readonly path?: readonly (string | number)[]
  /** `Condition 2`, where one parameter has several. */
  readonly term?: string
}

export interface ConditionTerm {
  readonly place: Place
  readonly field: string
  /** In the words of `Operator`, or whatever the client has written. */
  readonly operator: string
  readonly values: readonly unknown[]
  /** Are these still text, as all in a query is? */
  readonly isText: boolean
}

/** What is asked for by name: a field, a relation, a way through several. */
export interface NameTerm {
  readonly place: Place
  readonly name: string
}

export interface OrderTerm extends NameTerm {
  readonly descending: boolean
}

/** What a page is said by. `size` is `limit` under a name that pages have, `end` the row behind the last. */
export type PageRole = 'page' | 'size' | 'offset' | 'limit' | 'end' | 'cursor'

export interface PageTerm {
  readonly place: Place
  readonly role: PageRole
  /** A number in JSON, and text in a query. */
  readonly value: unknown
  readonly isText?: boolean
}

/** What a client has written, in whatever language, before anything of it is compared with the resource. */
export interface Terms {
  readonly conditions: ConditionTerm[]
  readonly order: OrderTerm[]
  readonly expand: NameTerm[]
  readonly page: PageTerm[]
  fields?: NameTerm[]
  /** `asc` and `desc`, where they do not stand beside the fields of the order. */
  directions?: { readonly place: Place; readonly words: readonly string[] }
  search?: { readonly place: Place; readonly text: unknown }
  readonly faults: Fault[]
}

/** What is wrong, as `errors` of the problem has it. */
export interface Fault {
  readonly parameter?: string
  /** A JSON pointer, as a fragment: RFC 6901 section 6. */
  readonly pointer?: string
  readonly detail: string
}

/** The operators that have lists of values. */
export const LISTS: ReadonlySet<string> = new Set(['in', 'nin', 'between'])

export function noTerms(): Terms {
  return { conditions: [], order: [], expand: [], page: [], faults: [] }
}

export function addFault({ faults }: Pick<Terms, 'faults'>, { parameter, path, term }: Place, detail: string): void {
  faults.push({
    ...(parameter !== undefined && { parameter: shortened(parameter) }),
    ...(path && { pointer: pointerOf(path.map(key => (typeof key === 'string' ? shortened(key) : key))) }),
    detail: term ? `${term}: ${detail}` : detail,
  })
}

/** What reads one parameter, or one member of a body. */
export interface Reader<V = string> {
  /** What it belongs to. Free text is there only where a resource has fields for it. */
  readonly part: Part | 'search'
  /** Of what says a page. */
  readonly role?: PageRole
  /** May it be there several times? */
  readonly repeats?: boolean
  read(value: V, place: Place, terms: Terms, resource: Resource): void
}

/** A language of URLs. */
export interface Style {
  readonly name: string
  /** Parameters by their whole name. */
  readonly named: ReadonlyMap<string, Reader>
  /** What reads any other parameter, by how its name is made; undefined where it is none of this language. */
  other(name: string, resource: Resource): Reader | undefined
  /** Do fields stand among the parameters by their own names? */
  readonly isFlat: boolean
  /** The ways to say a page that it has, the usual one first. */
  readonly paging: readonly Paging[]
  /** Does a request that says no page want as many rows as it may have? */
  readonly wantsAll: boolean
  /** How a condition is written, for errors. */
  readonly example: string
}

/** Names with commas; no name at all where the text is empty. */
export function readNames(text: string, place: Place, terms: Terms): readonly string[] {
  return text === '' ? [] : atMost(text.split(',', MOST + 1), place, terms)
}

/** As many as an honest client has, and few enough to say of each what is wrong. */
export function atMost<T>(all: readonly T[], place: Place, terms: Terms): readonly T[] {
  if (all.length <= MOST) return all
  addFault(terms, place, `Send at most ${MOST} of these.`)
  return all.slice(0, MOST)
}

const MOST = 100

/** `-age`: a field in descending order. */
export function toOrder(place: Place, text: string): OrderTerm {
  const descending = text.startsWith('-')
  return { place, name: descending ? text.slice(1) : text, descending }
}

export const sort: Reader = {
  part: 'sort',
  read(text, place, terms) {
    for (const name of readNames(text, place, terms)) terms.order.push(toOrder(place, name))
  },
}

export const fields: Reader = {
  part: 'fields',
  read(text, place, terms) {
    setFields(terms, place, readNames(text, place, terms))
  },
}

export const expand: Reader = {
  part: 'expand',
  read(text, place, terms) {
    for (const name of readNames(text, place, terms)) terms.expand.push({ place, name })
  },
}

export const search: Reader = {
  part: 'search',
  read(text, place, terms) {
    setSearch(terms, place, text)
  },
}

/** What a request says once may have two names, and to take either one would be a guess. */
export const TWICE = 'This is there twice. Send it once.'

export function setSearch(terms: Terms, place: Place, text: unknown): void {
  if (terms.search) addFault(terms, place, TWICE)
  else terms.search = { place, text }
}

export function setFields(terms: Terms, place: Place, names: readonly string[]): void {
  if (terms.fields) addFault(terms, place, TWICE)
  else terms.fields = names.map(name => ({ place, name }))
}

export function page(role: PageRole): Reader {
  return {
    part: 'page',
    role,
    read(value, place, terms) {
      terms.page.push({ place, role, value, isText: true })
    },
  }
}

/** The parameters that most languages say pages by. */
export const PAGE: readonly (readonly [name: string, Reader])[] = [
  ['page', page('page')],
  ['per_page', page('size')],
  ['offset', page('offset')],
  ['limit', page('limit')],
  ['cursor', page('cursor')],
]
