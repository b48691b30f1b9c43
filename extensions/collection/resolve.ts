import { expectation, type FieldValue, isGoodText, OPERATORS, PATTERN, readValue } from './field.ts'
import { below } from './language/json.ts'
import { addFault, type ConditionTerm, LISTS, type Place, type Terms } from './language/terms.ts'
import type { Resource } from './resource.ts'
import type { Condition, Field, Filter, Operator, Order } from './types.ts'
import { listed, shortened } from './words.ts'

const CONDITIONS = 20
const VALUES = 100

/**
 * The filter that terms are, as far as they fit; what does not is a fault.
 *
 * @param noField what to say of a field that there is not
 */
export function resolveFilter(terms: Terms, resource: Resource, noField: string): Filter {
  const seen = new Set<string>()
  const where: Condition[] = []
  const more = terms.conditions[CONDITIONS]
  if (more) addFault(terms, more.place, `Send at most ${CONDITIONS} conditions.`)
  for (const term of terms.conditions.slice(0, CONDITIONS)) {
    const { place, field: name, operator } = term
    const field = resource.filterable.has(name) ? (resource.fields.get(name) as Field) : undefined
    const operators = field ? OPERATORS[field.type] : []
    const key = `${name} ${operator}`
    if (!field) addFault(terms, place, noField)
    else if (!operators.includes(operator as Operator))
      addFault(terms, place, `There is no such operator. ${field.name} has ${listed(operators)}.`)
    else if (seen.has(key)) addFault(terms, place, 'This condition is there twice. Send it once.')
    else {
      seen.add(key)
      const values = readValues(terms, term, field)
      if (values) where.push({ field, operator: operator as Operator, values })
    }
  }
  return { where, search: resolveSearch(terms, resource) }
}

function readValues(terms: Terms, term: ConditionTerm, field: Field): FieldValue[] | undefined {
  const { place, values, isText } = term
  const operator = term.operator as Operator
  const isCount = operator === 'between' ? values.length === 2 : values.length > 0 && values.length <= VALUES
  const count = operator === 'between' ? 'two values, from and to' : `1 to ${VALUES} values`
  if (!isCount) {
    addFault(terms, place, `Expected ${count}.`)
    return
  }
  const read: FieldValue[] = []
  values.forEach((given, index) => {
    const value = readOne(operator, field, given, isText)
    if (value !== undefined) read.push(value)
    else addFault(terms, LISTS.has(operator) ? placeOf(place, index) : place, expected(operator, field, given))
  })
  return read.length === values.length ? read : undefined
}

function readOne(operator: Operator, field: Field, given: unknown, isText: boolean): FieldValue | undefined {
  if (operator === 'null') return readValue({ type: 'boolean' }, given, isText)
  if (operator !== 'like') return readValue(field, given, isText)
  return typeof given === 'string' && given.length <= PATTERN && isGoodText(given, 4 * PATTERN) ? given : undefined
}

function expected(operator: Operator, field: Field, given: unknown): string {
  if (operator === 'null') return 'Expected true or false.'
  if (operator === 'like') return `Expected a pattern of at most ${PATTERN} characters, in which * stands for any.`
  return expectation(field, given)
}

/** In JSON a value has a place of its own. */
function placeOf(place: Place, index: number): Place {
  if (place.path) return below(place, index)
  return { ...place, term: place.term ? `${place.term}, value ${index + 1}` : `Value ${index + 1}` }
}

function resolveSearch(terms: Terms, { search: fields }: Resource): Filter['search'] {
  if (!terms.search || terms.search.text === '') return
  const { place, text } = terms.search
  if (fields.length === 0) addFault(terms, place, 'There is no free text here.')
  else if (typeof text === 'string' && text.length <= PATTERN && isGoodText(text, 4 * PATTERN)) return { text, fields }
  else addFault(terms, place, `Expected text of at most ${PATTERN} characters.`)
}

/** The order that is asked for; empty where none is. */
export function resolveOrder(terms: Terms, { fields, sortable }: Resource): Order[] {
  const { directions } = terms
  const order = new Map<string, Order>()
  if (directions && directions.words.length > terms.order.length)
    addFault(terms, directions.place, 'There are more directions than fields.')
  terms.order.forEach(({ place, name, descending }, index) => {
    const word = directions?.words[index] ?? 'asc'
    const isDirection = /^(?:asc|desc)$/i.test(word)
    if (!sortable.has(name)) addFault(terms, place, `There is no such field to sort by. There are ${listed(sortable)}.`)
    else if (order.has(name)) addFault(terms, place, `${name} is there twice. Send it once.`)
    else if (!isDirection) addFault(terms, directions?.place ?? place, 'Expected asc or desc for each field.')
    else order.set(name, { field: fields.get(name) as Field, descending: descending || /^desc$/i.test(word) })
  })
  return [...order.values()]
}

/** The fields that are asked for, in the order of their declaration. */
export function resolveFields(terms: Terms, { fields, selectable }: Resource): Field[] | undefined {
  if (!terms.fields) return
  const wanted = new Set<string>()
  for (const { place, name } of terms.fields) {
    if (selectable.has(name)) wanted.add(name)
    else addFault(terms, place, `There is no such field to select. There are ${listed(selectable)}.`)
  }
  const chosen = [...fields.values()].filter(({ name }) => wanted.has(name))
  return chosen.length > 0 ? chosen : undefined
}

/** The ways through relations that are asked for, each once. */
export function resolveExpand(terms: Terms, resource: Resource, depth: number): string[][] {
  const paths = new Map<string, string[]>()
  for (const { place, name } of terms.expand) {
    const path = name.split('.', depth + 1)
    const odd = path.length > depth ? `Expected at most ${depth} relations in a row.` : oddStep(resource, path)
    if (odd === undefined) paths.set(name, path)
    else addFault(terms, place, odd)
  }
  return [...paths.values()]
}

function oddStep(resource: Resource, path: readonly string[]): string | undefined {
  let at = resource
  for (const [index, name] of path.entries()) {
    const relation = at.relations.get(name)
    if (relation) at = relation.resource
    else {
      const where = index === 0 ? '' : ` in ${shortened(path.slice(0, index).join('.'))}`
      return `There is no such relation${where}. There are ${listed(at.relations.keys())}.`
    }
  }
}
