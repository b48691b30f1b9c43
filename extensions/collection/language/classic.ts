import type { Resource } from '../resource.ts'
import { splitEscaped, unescaped } from './pairs.ts'
import {
  addFault,
  atMost,
  expand,
  fields,
  LISTS,
  PAGE,
  type Place,
  type Reader,
  type Style,
  search,
  type Terms,
} from './terms.ts'

/**
 * `?filter=age,ge,30;name,eq,x&sort=age,desc;name,asc&page=2&per_page=10&expand=1`: conditions and orders are lists
 * with semicolons, each of them a list with commas. A comma or semicolon of a value is written `\,` and `\;`, and a
 * backslash `\\`.
 *
 * The operators are `eq ne lt le gt ge in like`, and `nin null between` too. `expand=1` expands all relations of the
 * resource, and a list with commas those that it names. `fields`, `q` and pages are as in the language of kolba.
 */
export const classicStyle: Style = {
  name: 'classic',
  named: new Map<string, Reader>([
    ['filter', { part: 'filter', read: readConditions }],
    ['sort', { part: 'sort', read: readOrder }],
    ['fields', fields],
    ['expand', { part: 'expand', read: readExpand }],
    ['q', search],
    ...PAGE,
  ]),
  other: () => undefined,
  isFlat: false,
  paging: ['page', 'offset', 'cursor'],
  wantsAll: false,
  example: 'filter=name,eq,x',
}

const WORDS = new Map([
  ['le', 'lte'],
  ['ge', 'gte'],
])

function readConditions(text: string, place: Place, terms: Terms): void {
  const conditions = text === '' ? [] : atMost(splitEscaped(text, ';'), place, terms)
  for (const [index, condition] of conditions.entries()) {
    const [field = '', word, ...values] = splitEscaped(condition, ',').map(unescaped)
    const operator = WORDS.get(word ?? '') ?? word
    const where = { ...place, term: `Condition ${index + 1}` }
    if (operator === undefined || values.length === 0)
      addFault(terms, where, 'Expected a field, an operator and a value, such as age,ge,30.')
    else if (values.length > 1 && !LISTS.has(operator))
      addFault(terms, where, 'Expected one value. A comma in it is written \\,')
    else terms.conditions.push({ place: where, field, operator, values, isText: true })
  }
}

function readOrder(text: string, place: Place, terms: Terms): void {
  const parts = text === '' ? [] : atMost(text.split(';'), place, terms)
  for (const [index, part] of parts.entries()) {
    const [name = '', direction = 'asc', more] = part.split(',')
    const where = { ...place, term: `Term ${index + 1}` }
    if ((direction === 'asc' || direction === 'desc') && more === undefined)
      terms.order.push({ place: where, name, descending: direction === 'desc' })
    else addFault(terms, where, 'Expected a field, and asc or desc, such as age,desc.')
  }
}

function readExpand(text: string, place: Place, terms: Terms, resource: Resource): void {
  if (text === '0') return
  if (text !== '1') return expand.read(text, place, terms, resource)
  for (const name of resource.relations.keys()) terms.expand.push({ place, name })
}
