import type { Resource } from '../resource.ts'
import { addFault, atMost, LISTS, type Place, type Terms } from './terms.ts'

/** A place in JSON, one level down. */
export function below(place: Place, key: string | number): Place {
  return { ...place, path: [...(place.path ?? []), key] }
}

/**
 * Reads what JSON says of a field: a value is compared, a list means one of these, and an object has operators.
 *
 * @param operator the one that something else has said already; an object is no value then
 */
export function readCondition(
  terms: Terms,
  place: Place,
  field: string,
  value: unknown,
  isText: boolean,
  operator?: string,
): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && operator === undefined) {
    const entries = atMost(Object.entries(value), place, terms)
    if (entries.length === 0) addFault(terms, place, 'Expected a value, or operators such as {"gte":30}.')
    for (const [name, value] of entries) readCondition(terms, below(place, name), field, value, isText, name)
    return
  }
  if (operator === 'contains') {
    const values = [typeof value === 'string' ? `*${value}*` : value]
    return void terms.conditions.push({ place, field, operator: 'like', values, isText })
  }
  const name = Array.isArray(value) ? (SEVERAL.get(operator ?? 'eq') ?? operator) : operator
  if (Array.isArray(value) && !LISTS.has(name as string)) return addFault(terms, place, 'Expected one value.')
  if (!Array.isArray(value) && LISTS.has(name as string)) return addFault(terms, place, 'Expected a list.')
  const values = Array.isArray(value) ? value : [value]
  terms.conditions.push({ place, field, operator: name ?? 'eq', values, isText })
}

/** The operators that a list makes of others. */
export const SEVERAL: ReadonlyMap<string, string> = new Map([
  ['eq', 'in'],
  ['ne', 'nin'],
])

/** Free text, where no field has its name. */
export function isSearch(name: string, { filterable }: Resource): boolean {
  return name === 'q' && !filterable.has('q')
}
