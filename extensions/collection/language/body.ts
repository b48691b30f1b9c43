import type { Resource } from '../resource.ts'
import { listed } from '../words.ts'
import { below, isSearch, readCondition } from './json.ts'
import {
  addFault,
  atMost,
  noTerms,
  type PageRole,
  type Place,
  type Reader,
  readNames,
  setFields,
  setSearch,
  type Terms,
  toOrder,
} from './terms.ts'

type Member = Reader<unknown>

const MEMBERS: ReadonlyMap<string, Member> = new Map<string, Member>([
  ['filter', { part: 'filter', read: readFilter }],
  ['q', { part: 'search', read: readSearch }],
  ['sort', { part: 'sort', read: readSort }],
  ['fields', { part: 'fields', read: readFields }],
  ['expand', { part: 'expand', read: readExpand }],
  ['page', page('page')],
  ['per_page', page('size')],
  ['offset', page('offset')],
  ['limit', page('limit')],
  ['cursor', page('cursor')],
])

/**
 * The body of HTTP QUERY (RFC 10008), the same for every style of URLs:
 * `{ "filter": { "age": { "gte": 30 }, "name": "x", "status": ["new", "old"] }, "sort": "-age,name", "fields": ["id"],
 * "expand": ["customer.country"], "q": "free", "page": 2, "per_page": 10 }`.
 *
 * In `filter` a value is compared, a list means one of these, and an object has operators. `sort`, `fields` and `expand`
 * are lists, or text with commas. Values are of the type of their field as JSON has it; a date is text.
 *
 * @param takes whether the route has what a member is for
 */
export function readBody(body: unknown, resource: Resource, takes: (member: Member) => boolean): Terms {
  const terms = noTerms()
  if (!isPlain(body)) {
    addFault(terms, { path: [] }, 'Expected an object, such as {"filter":{"name":"x"}}.')
    return terms
  }
  const known = [...MEMBERS].flatMap(([name, member]) => (takes(member) ? name : []))
  for (const [name, value] of atMost(Object.entries(body), { path: [] }, terms)) {
    const member = MEMBERS.get(name)
    if (member && takes(member)) member.read(value, { path: [name] }, terms, resource)
    else addFault(terms, { path: [name] }, `There is no such member. There are ${listed(known)}.`)
  }
  return terms
}

function readFilter(filter: unknown, place: Place, terms: Terms, resource: Resource): void {
  if (!isPlain(filter)) return addFault(terms, place, 'Expected an object, such as {"name":"x"}.')
  for (const [name, value] of atMost(Object.entries(filter), place, terms)) {
    if (isSearch(name, resource)) setSearch(terms, below(place, name), value)
    else readCondition(terms, below(place, name), name, value, false)
  }
}

function readSearch(text: unknown, place: Place, terms: Terms): void {
  setSearch(terms, place, text)
}

function readSort(value: unknown, place: Place, terms: Terms): void {
  for (const name of namesOf(value, place, terms) ?? []) terms.order.push(toOrder(place, name))
}

function readFields(value: unknown, place: Place, terms: Terms): void {
  const names = namesOf(value, place, terms)
  if (names) setFields(terms, place, names)
}

function readExpand(value: unknown, place: Place, terms: Terms): void {
  for (const name of namesOf(value, place, terms) ?? []) terms.expand.push({ place, name })
}

function namesOf(value: unknown, place: Place, terms: Terms): readonly string[] | undefined {
  if (typeof value === 'string') return readNames(value, place, terms)
  if (Array.isArray(value) && value.every(name => typeof name === 'string')) return atMost(value, place, terms)
  addFault(terms, place, 'Expected a list of names, or text with commas.')
}

function page(role: PageRole): Member {
  return {
    part: 'page',
    role,
    read(value, place, terms) {
      terms.page.push({ place, role, value })
    },
  }
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
