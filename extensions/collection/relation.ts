import { type BaseContext, checkOptions, kinds } from '../../src/index.ts'
import type { Resource } from './resource.ts'
import type { Field, Value } from './types.ts'

/** What leads from the rows of one resource to those of another. */
export interface RelationOptions {
  /** The field of this resource that has the key of the other; it need not be declared. @default the key of this one */
  from?: string
  /** The field of the other resource that it is compared with; it need not be declared. @default the key of the other */
  to?: string
  /** Is it a list? @default false */
  many?: boolean
  /**
   * With `many`, rows of the other resource that come with one page, all lists together. One query cannot count them for
   * each list in every database, and a list is given whole or not at all: more is a 400 that says to ask for fewer rows.
   * @default 1000
   */
  limit?: number
  /** The other resource, or a function that gives it, where two lead to each other. */
  resource: Resource | (() => Resource)
  /**
   * Gives the rows, or a query for them, of which `to` is among the keys. A query need not say so, it is narrowed.
   * It is called once for all rows of a page.
   */
  load: (keys: readonly Value[], ctx: BaseContext) => unknown
}

/** A relation as it stands in a declaration. */
export interface RelationDeclaration {
  readonly [relationOptions]: RelationOptions
}

/** A relation of a resource. What belongs to the other resource is looked up when it is first asked for. */
export interface Relation {
  readonly name: string
  /** Of this resource; hidden where it was not declared. */
  readonly from: Field
  /** Of the other resource; hidden where it was not declared. */
  readonly to: Field
  readonly many: boolean
  /** Rows that come with one page. */
  readonly limit: number
  readonly resource: Resource
  readonly load: (keys: readonly Value[], ctx: BaseContext) => unknown
}

const relationOptions: unique symbol = Symbol.for('kolba.relation') as never

/**
 * A relation for the `expand` of a resource: to one row, or with `many` to a list.
 *
 * @throws TypeError for a wrong option, and where neither `from` nor `to` is given
 * @example
 * expand: {
 *   country: relation({ from: 'country_id', resource: countries, load: () => db.selectFrom('country') }),
 *   orders: relation({ to: 'customer_id', many: true, resource: () => orders, load: () => db.selectFrom('order') }),
 * }
 */
export function relation(options: RelationOptions): RelationDeclaration {
  const limit = {
    words: 'a whole number from 1 to 10000',
    test: (value: unknown) => kinds.bytes.test(value) && (value as number) <= 10_000,
  }
  const resource = { words: 'a resource, or a function that gives one', test: isResourceLike }
  const known = { from: kinds.text, to: kinds.text, many: kinds.flag, limit, resource, load: kinds.function }
  checkOptions('relation', options ?? null, known)
  for (const name of ['resource', 'load'] as const)
    if (options[name] === undefined) throw new TypeError(`relation: there is no ${name}. Give { resource, load }.`)
  if (options.from === undefined && options.to === undefined)
    throw new TypeError('relation: neither from nor to is given. Name the field that has the key of the other.')
  return { [relationOptions]: options }
}

/**
 * Compiles a relation of a resource.
 *
 * @param fields those of the resource; a `from` that is not among them is added, hidden
 */
export function compileRelation(name: string, given: unknown, fields: Map<string, Field>, key: Field): Relation {
  const options = (given as RelationDeclaration | undefined)?.[relationOptions]
  if (!options)
    throw new TypeError(`resource: expand ${name} is no relation. Write relation({ from, resource, load }).`)
  const { from, to, many = false, limit = 1000, load } = options
  const otherOf = () => {
    const other = typeof options.resource === 'function' ? options.resource() : options.resource
    if (!isResourceLike(other) || typeof other === 'function')
      throw new TypeError(`resource: the resource of expand ${name} is none. Give what resource() gives.`)
    return other
  }
  const toOf = () => {
    const other = otherOf()
    if (to === undefined) return other.key
    return other.fields.get(to) ?? hidden(to, () => declared(fields.get(from ?? key.name)))
  }
  const declared = (field: Field | undefined) => {
    if (field && !field.isHidden) return field.type
    const advice = 'Declare one of them, with { type, filter: false, sort: false, select: false }.'
    throw new TypeError(`resource: expand ${name} leads from ${from} to ${to}, which both are not declared. ${advice}`)
  }
  const own = from === undefined ? key : (fields.get(from) ?? hidden(from, () => declared(toOf())))
  fields.set(own.name, own)
  let target: Field | undefined
  return {
    name,
    from: own,
    get to() {
      target ??= toOf()
      return target
    },
    many,
    limit,
    get resource() {
      return otherOf()
    },
    load,
  }
}

/** A field that is read for a relation alone. Its type is that of the other side, which may not be there yet. */
function hidden(name: string, typeOf: () => Field['type']): Field {
  if (/[.\s]/.test(name))
    throw new TypeError(`resource: "${name}" is no name of a field. Declare one with column: '${name}', select: false.`)
  return {
    name,
    get type() {
      return typeOf()
    },
    column: name,
    collation: 'binary',
    isHidden: true,
  }
}

function isResourceLike(value: unknown): boolean {
  if (typeof value === 'function') return true
  return (value as Resource | null)?.fields instanceof Map && (value as Resource).relations instanceof Map
}
