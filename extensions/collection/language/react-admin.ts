import type { Resource } from '../resource.ts'
import { below, isSearch, readCondition } from './json.ts'
import { addFault, atMost, type Place, type Reader, type Style, type Terms } from './terms.ts'

/**
 * What the simple REST provider of react-admin sends (ra-data-simple-rest 5):
 * `?sort=["name","ASC"]&range=[0,24]&filter={"q":"x","age_gte":30,"author_id":[1,2]}`, and `embed=["author"]`.
 *
 * In `filter` a value is compared, a list means one of these, and an object has operators, `{"age":{"gte":30}}`. Or the
 * operator is part of the name, as FakeRest has it: `_eq _neq _ne _gt _gte _lt _lte _eq_any _neq_any _in _nin _like
 * _null _between`, and `_q` for contains. Values are JSON or text, because forms of react-admin have both. Without a
 * range, as react-admin asks for many by their ids, a page has as many rows as it may have.
 */
export const reactAdminStyle: Style = {
  name: 'react-admin',
  named: new Map<string, Reader>([
    ['filter', { part: 'filter', read: readFilter }],
    ['sort', { part: 'sort', read: readSort }],
    ['range', { part: 'page', read: readRange }],
    ['embed', { part: 'expand', read: readEmbed }],
  ]),
  other: () => undefined,
  isFlat: false,
  paging: ['offset'],
  wantsAll: true,
  example: 'filter={"name":"x"}',
}

/** The longer ones before those that they end in. */
const SUFFIXES: readonly (readonly [suffix: string, operator: string])[] = [
  ['_neq_any', 'nin'],
  ['_eq_any', 'in'],
  ['_between', 'between'],
  ['_like', 'like'],
  ['_null', 'null'],
  ['_neq', 'ne'],
  ['_nin', 'nin'],
  ['_gte', 'gte'],
  ['_lte', 'lte'],
  ['_eq', 'eq'],
  ['_ne', 'ne'],
  ['_gt', 'gt'],
  ['_lt', 'lt'],
  ['_in', 'in'],
  ['_q', 'contains'],
]

function readFilter(text: string, place: Place, terms: Terms, resource: Resource): void {
  const filter = parse(text)
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter))
    return addFault(terms, place, 'Expected an object in JSON, such as {"name":"x"}.')
  for (const [name, value] of atMost(Object.entries(filter), place, terms)) {
    const where = below(place, name)
    if (isSearch(name, resource)) {
      terms.search = { place: where, text: value }
      continue
    }
    const [field, operator] = divide(name, resource)
    readCondition(terms, where, field, value, true, operator)
  }
}

/** `age_gte` as the field age and the operator gte, where there is no field age_gte. */
function divide(name: string, { filterable }: Resource): [field: string, operator?: string] {
  if (filterable.has(name)) return [name]
  const found = SUFFIXES.find(([suffix]) => name.endsWith(suffix) && filterable.has(name.slice(0, -suffix.length)))
  return found ? [name.slice(0, -found[0].length), found[1]] : [name]
}

function readSort(text: string, place: Place, terms: Terms): void {
  const sort = parse(text)
  const [name, direction] = Array.isArray(sort) && sort.length === 2 ? sort : []
  const word = typeof direction === 'string' ? direction.toUpperCase() : undefined
  if (typeof name !== 'string' || (word !== 'ASC' && word !== 'DESC'))
    return addFault(terms, place, 'Expected a field and a direction in JSON, such as ["name","ASC"].')
  terms.order.push({ place, name, descending: word === 'DESC' })
}

function readRange(text: string, place: Place, terms: Terms): void {
  const range = parse(text)
  const [first, last] = Array.isArray(range) && range.length === 2 ? range : []
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || last < first)
    return addFault(terms, place, 'Expected the first and the last row in JSON, such as [0,24].')
  terms.page.push({ place, role: 'offset', value: first }, { place, role: 'limit', value: last - first + 1 })
}

function readEmbed(text: string, place: Place, terms: Terms): void {
  const names = [parse(text)].flat()
  if (!names.every(name => typeof name === 'string'))
    return addFault(terms, place, 'Expected relations in JSON, such as ["author"].')
  for (const name of atMost(names, place, terms)) terms.expand.push({ place, name })
}

/** Undefined is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
