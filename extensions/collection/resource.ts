import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkOptions, type Kind, kinds, type OutputOf } from '../../src/index.ts'
import { embedded, type JsonObject } from '../../src/schema/index.ts'
import { type Declared, type FieldDeclaration, readDeclarations } from './declaration.ts'
import { compileRelation, type Relation, type RelationDeclaration } from './relation.ts'
import type { Field, Order } from './types.ts'
import { listed } from './words.ts'

export type { FieldDeclaration, FieldOptions } from './declaration.ts'
export { type Relation, type RelationDeclaration, type RelationOptions, relation } from './relation.ts'

/** Fields by name, or the Standard Schema of an object, whose JSON Schema says the types. */
export type FieldsDeclaration = StandardSchemaV1 | Readonly<Record<string, FieldDeclaration>>

export type FieldNames<F> = (F extends StandardSchemaV1 ? keyof OutputOf<F> : keyof F) & string

export interface ResourceDeclaration<F extends FieldsDeclaration> {
  /** Nothing else of a row is ever read, filtered or sorted by. */
  fields: F
  /** The field that no two rows share, and that is never null. @default 'id' */
  key?: FieldNames<F>
  /** The order where the client says none, `-created,name`. The key always comes last. @default the key */
  sort?: string
  /** The fields of text that `?q=` looks into. @default none, and there is no `?q=` */
  search?: readonly FieldNames<F>[]
  /** @default all fields, except those declared with `filter: false`, or with `select: false` and no `filter: true`, objects and lists */
  filterable?: readonly FieldNames<F>[]
  /** @default all fields, except those declared with `sort: false`, or with `select: false` and no `sort: true`, objects and lists */
  sortable?: readonly FieldNames<F>[]
  /** @default all fields, except those declared with `select: false` */
  selectable?: readonly FieldNames<F>[]
  /** What `?expand=` may ask for, each a `relation()`. */
  expand?: Readonly<Record<string, RelationDeclaration>>
}

/** What a collection has and what clients may ask of it, compiled once. */
export interface Resource {
  /** All fields, those that are hidden and read for relations included. */
  readonly fields: ReadonlyMap<string, Field>
  readonly key: Field
  readonly filterable: ReadonlySet<string>
  readonly sortable: ReadonlySet<string>
  readonly selectable: ReadonlySet<string>
  readonly search: readonly Field[]
  /** The order where the client says none; the key is its last. */
  readonly sort: readonly Order[]
  readonly relations: ReadonlyMap<string, Relation>
  /** A row as JSON Schema, without relations. */
  readonly schema: JsonObject
}

const anything: Kind = { words: 'anything', test: () => true }
const OPTIONS = {
  fields: anything,
  key: kinds.text,
  sort: { words: "text such as '-created,name'", test: (value: unknown) => typeof value === 'string' },
  search: kinds.texts,
  filterable: kinds.texts,
  sortable: kinds.texts,
  selectable: kinds.texts,
  expand: kinds.object,
}

/**
 * Declares what a collection has: its fields with their types, its unique key, and what clients may filter, sort,
 * search, select and expand. What is not declared does not exist for them.
 *
 * A field is `'string'`, `'number'`, `'boolean'`, `'date'`, a list of the few texts it may be, all of it as an object,
 * or a schema of any library that can say itself as JSON Schema. `fields` as a whole may be the schema of an object.
 * Objects and lists among its properties are readable, and neither filterable nor sortable; what is `writeOnly` is
 * left out.
 *
 * Where two resources lead to each other, one is annotated, `const orders: Resource = resource(...)`, because
 * TypeScript cannot infer a circle.
 *
 * @throws TypeError for a wrong option, a name that is not declared or cannot be a parameter, a missing key
 * @example
 * const customers = resource({
 *   fields: { id: 'number', name: 'string', status: ['new', 'old'], total: { type: 'number', column: 'invoice.total' } },
 *   sort: 'name',
 *   search: ['name'],
 * })
 */
export function resource<const F extends FieldsDeclaration>(declaration: ResourceDeclaration<F>): Resource {
  checkOptions('resource', declaration ?? null, OPTIONS)
  const { all, definitions } = readDeclarations(declaration.fields)
  for (const { field } of all) checkName('field', field.name)
  const fields = new Map(all.map(({ field }) => [field.name, field]))
  const names = (option: 'search' | 'filterable' | 'sortable' | 'selectable', may: (it: Declared) => boolean) => {
    const allowed = new Set(all.filter(may).map(({ field }) => field.name))
    for (const name of declaration[option] ?? []) find(fields, option, name)
    const odd = declaration[option]?.find(name => !allowed.has(name))
    if (odd !== undefined) throw new TypeError(`resource: ${option} names ${odd}, ${REASONS[option]}`)
    return new Set<string>(declaration[option] ?? allowed)
  }
  const key = keyOf(fields, declaration.key ?? 'id')
  const search = declaration.search ? names('search', isText) : []
  const expand = Object.entries(declaration.expand ?? {})
  for (const [name] of expand) checkRelationName(name, fields)
  const hiding = new Map(fields)
  const relations = new Map(expand.map(([name, it]) => [name, compileRelation(name, it, hiding, key)]))
  const selectable = names('selectable', ({ maySelect }) => maySelect)
  return {
    fields: hiding,
    key,
    filterable: names('filterable', ({ mayFilter }) => mayFilter),
    sortable: names('sortable', ({ maySort }) => maySort),
    selectable,
    search: [...search].map(name => fields.get(name) as Field),
    sort: totalOrder(readOrder(declaration.sort ?? '', fields), key),
    relations,
    schema: schemaOf(all, selectable, key, definitions),
  }
}

const REASONS = {
  search: 'which is no text. Search looks into text.',
  filterable:
    'which is an object or a list, or is declared with filter: false, or with select: false and no filter: true. Leave it out.',
  sortable:
    'which is an object or a list, or is declared with sort: false, or with select: false and no sort: true. Leave it out.',
  selectable: 'which is declared with select: false. Leave it out.',
}

function isText({ field: { type } }: Declared): boolean {
  return type === 'string' || type === 'enum'
}

/** An order in which no two rows are equal: the key is its last, and what would come behind it says nothing. */
export function totalOrder(order: readonly Order[], key: Field): readonly Order[] {
  const place = order.findIndex(({ field }) => field === key)
  return place < 0 ? [...order, { field: key, descending: false }] : order.slice(0, place + 1)
}

function readOrder(text: string, fields: ReadonlyMap<string, Field>): Order[] {
  const terms = text === '' ? [] : text.split(',')
  return terms.map(term => {
    const field = find(fields, 'sort', term.replace(/^-/, ''))
    if (field.type === 'other') throw new TypeError(`resource: sort names ${field.name}, ${REASONS.sortable}`)
    return { field, descending: term.startsWith('-') }
  })
}

function find(fields: ReadonlyMap<string, Field>, option: string, name: string): Field {
  const field = fields.get(name)
  if (field) return field
  throw new TypeError(`resource: ${option} names "${name}", which is not declared. There are ${listed(fields.keys())}.`)
}

function keyOf(fields: ReadonlyMap<string, Field>, name: string): Field {
  const key = fields.get(name)
  if (!key)
    throw new TypeError(
      `resource: the key "${name}" is not declared. There are ${listed(fields.keys())}: name one as key.`,
    )
  if (key.type !== 'boolean' && key.type !== 'other') return key
  throw new TypeError(`resource: the key ${name} cannot tell rows apart. Name a field of text, numbers or dates.`)
}

/** Names stand in parameters beside brackets, commas, colons, dots and a minus. */
function checkName(what: 'field' | 'relation', name: string): void {
  if (name !== '' && name !== '__proto__' && !/^-|[[\],:;.\\\s\p{Cc}]/u.test(name) && name.isWellFormed()) return
  const advice = what === 'field' ? 'Choose another, and say as column what the source calls it.' : 'Choose another.'
  throw new TypeError(`resource: ${JSON.stringify(name)} cannot be the name of a ${what}. ${advice}`)
}

function checkRelationName(name: string, fields: ReadonlyMap<string, Field>): void {
  checkName('relation', name)
  if (fields.has(name)) throw new TypeError(`resource: expand ${name} has the name of a field. Rename one of them.`)
}

function schemaOf(all: readonly Declared[], selectable: ReadonlySet<string>, key: Field, $defs: unknown): JsonObject {
  const seen = all.filter(({ field }) => selectable.has(field.name))
  const properties = seen.map(({ field, json }) => [field.name, field === key ? withoutNull(json) : json])
  return embedded({ type: 'object', properties: Object.fromEntries(properties), ...($defs !== undefined && { $defs }) })
}

function withoutNull(json: JsonObject): JsonObject {
  const { type, enum: values } = json
  if (Array.isArray(type) && type.length === 2) return { ...json, type: type[0] }
  return Array.isArray(values) ? { ...json, enum: values.filter(it => it !== null) } : json
}
