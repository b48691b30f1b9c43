import { splitEscaped, unescaped } from './pairs.ts'
import { expand, fields, LISTS, PAGE, type Reader, type Style, search, sort } from './terms.ts'

/**
 * The language of kolba:
 * `?name=x&age[gte]=30&status[in]=a,b&name[like]=A*&deleted[null]=true&age[between]=1,5&q=free&sort=-age,name`
 * `&fields=id,name&expand=customer,customer.country&page=2&per_page=10`, or `offset` and `limit`, or `cursor` and
 * `limit`. A condition without an operator is `eq`.
 *
 * `in`, `nin` and `between` have lists, with commas; a comma of a value is written `\,` and a backslash `\\`. `in` and
 * `nin` may be there several times, which makes the list longer. Anything else that is there twice is refused.
 */
export const defaultStyle: Style = {
  name: 'default',
  named: new Map<string, Reader>([['sort', sort], ['fields', fields], ['expand', expand], ['q', search], ...PAGE]),
  other(name) {
    const found = /^([^[\]]+)(?:\[([^[\]]*)\])?$/.exec(name)
    return found ? condition(found[1] as string, found[2]) : undefined
  },
  isFlat: true,
  paging: ['page', 'offset', 'cursor'],
  wantsAll: false,
  example: 'name=x or name[ne]=x',
}

/** Reads a condition on a field, as `age[gte]=30` and `filter[age][gte]=30` have it. */
export function condition(field: string, operator = 'eq'): Reader {
  const isList = operator === 'in' || operator === 'nin'
  return {
    part: 'filter',
    repeats: isList,
    read(text, place, { conditions }) {
      const values = LISTS.has(operator) ? splitEscaped(text, ',').map(unescaped) : [text]
      const before = isList ? conditions.findIndex(it => it.field === field && it.operator === operator) : -1
      const together = [...(conditions[before]?.values ?? []), ...values]
      const term = { place, field, operator, values: together, isText: true }
      if (before < 0) conditions.push(term)
      else conditions[before] = term
    },
  }
}
