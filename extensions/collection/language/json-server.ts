import { SEVERAL } from './json.ts'
import { expand, type Place, page, type Reader, readNames, type Style, search, type Terms } from './terms.ts'

/**
 * What the simple REST provider of Refine sends (@refinedev/simple-rest 6), and json-server before it:
 * `?_start=0&_end=10&_sort=age,name&_order=desc,asc&status_ne=old&age_gte=30&age_lte=60&name_like=x&q=free&id=1&id=2`.
 *
 * A field that is there several times is one of these values, and with `_ne` none of them. `name_like` contains: Refine
 * means that by it, and its value is no pattern. Also `_gt`, `_lt`, and `_expand` or `_embed` for relations. Without
 * `_start` and `_end`, as Refine asks for many by their ids, a page has as many rows as it may have.
 */
export const jsonServerStyle: Style = {
  name: 'json-server',
  named: new Map<string, Reader>([
    ['_sort', { part: 'sort', read: readFields }],
    ['_order', { part: 'sort', read: readDirections }],
    ['_expand', { ...expand, repeats: true }],
    ['_embed', { ...expand, repeats: true }],
    ['_start', page('offset')],
    ['_end', page('end')],
    ['q', search],
  ]),
  other(name, { filterable }) {
    if (filterable.has(name)) return condition(name, 'eq')
    const [, field = '', suffix = ''] = /^(.+)_(ne|gte|lte|gt|lt|like)$/.exec(name) ?? []
    return filterable.has(field) ? condition(field, suffix) : undefined
  },
  isFlat: true,
  paging: ['offset'],
  wantsAll: true,
  example: 'name=x or name_ne=x',
}

function condition(field: string, operator: string): Reader {
  const several = SEVERAL.get(operator)
  return {
    part: 'filter',
    repeats: several !== undefined,
    read(text, place, { conditions }) {
      const value = operator === 'like' ? `*${text}*` : text
      const before = conditions.findIndex(it => it.place.parameter === place.parameter)
      const values = [...(conditions[before]?.values ?? []), value]
      if (before < 0) conditions.push({ place, field, operator, values, isText: true })
      else conditions[before] = { place, field, operator: several ?? operator, values, isText: true }
    },
  }
}

function readFields(text: string, place: Place, terms: Terms): void {
  for (const name of readNames(text, place, terms)) terms.order.push({ place, name, descending: false })
}

function readDirections(text: string, place: Place, terms: Terms): void {
  terms.directions = { place, words: readNames(text, place, terms) }
}
