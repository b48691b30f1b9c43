import { condition } from './default.ts'
import { expand, fields, page, type Reader, type Style, search, sort } from './terms.ts'

/**
 * The parameters of JSON:API 1.1: `?filter[age][gte]=30&filter[name]=x&sort=-age,name&fields[customers]=id,name` (or
 * `fields=id,name`) `&include=country&page[number]=2&page[size]=10`, or `page[offset]` and `page[limit]`, or
 * `page[cursor]` and `page[size]`. Conditions are as in the language of kolba, free text is `filter[q]`, or `q`.
 */
export const jsonapiStyle: Style = {
  name: 'jsonapi',
  named: new Map<string, Reader>([
    ['sort', sort],
    ['fields', fields],
    ['include', expand],
    ['q', search],
    ['page[number]', page('page')],
    ['page[size]', page('size')],
    ['page[offset]', page('offset')],
    ['page[limit]', page('limit')],
    ['page[cursor]', page('cursor')],
  ]),
  other(name, { relations, fields: known }) {
    const type = /^fields\[([^[\]]+)\]$/.exec(name)?.[1]
    // The fields of what is included are not ours to choose.
    if (type !== undefined) return relations.has(type) ? undefined : fields
    const found = /^filter\[([^[\]]+)\](?:\[([^[\]]*)\])?$/.exec(name)
    if (!found) return
    const [, field = '', operator] = found
    return field === 'q' && operator === undefined && !known.has('q') ? search : condition(field, operator)
  },
  isFlat: false,
  paging: ['page', 'offset', 'cursor'],
  wantsAll: false,
  example: 'filter[name]=x or filter[name][ne]=x',
}
