import type {
  AliasedRawBuilder,
  OperationNode,
  RawBuilder,
  RawNode,
  SelectQueryBuilder,
  SelectQueryNode,
  Sql as Tag,
} from 'kysely'
import type { PreparingSource } from '../types.ts'
import type { Dialect } from './dialect.ts'
import { estimateOf } from './estimate.ts'
import { mysql } from './mysql.ts'
import { postgres } from './postgres.ts'
import { type Ask, type Query, reading } from './read.ts'
import { type Sql, sql } from './sql.ts'
import { sqlite } from './sqlite.ts'

const COUNT = sql`count(*)`

type Tables = Record<string, Record<string, unknown>>
type Select = SelectQueryBuilder<Tables, string, object>

/**
 * A query of Kysely that has not run: `db.selectFrom('customer').where('company_id', '=', 7)`. Its tables, joins and
 * conditions stay, what it selects is replaced, and order, limit and offset are the collection's.
 *
 * What has groups, `distinct`, a union, or an order or limit of its own becomes a plain query by one step more:
 * `db.selectFrom(query.as('it'))`.
 */
export const kyselySource: PreparingSource = {
  name: 'a Kysely query',
  matches: value => (value as { isSelectQueryBuilder?: unknown } | null)?.isSelectQueryBuilder === true,
  read: (value, slice, counting, ctx) => kyselySource.prepare(slice, counting)(value, ctx),
  prepare(slice, counting) {
    const read = reading(slice, counting)
    return async value => {
      const select = value as Select
      const node = select.toOperationNode()
      assertPlain(node)
      tag ??= await load()
      return read(adapt(select, node, tag))
    }
  },
}

/** Loaded when a query comes first: to import a module again takes 5 µs each time. */
let tag: Tag | undefined

const OWN = {
  groupBy: 'groups',
  having: 'groups',
  distinctOn: 'distinct rows',
  frontModifiers: 'distinct rows',
  setOperations: 'a union',
  orderBy: 'an order of its own',
  limit: 'a limit of its own',
  offset: 'an offset of its own',
  fetch: 'a limit of its own',
  top: 'a limit of its own',
} as const

function assertPlain(node: SelectQueryNode): void {
  const own = (Object.keys(OWN) as (keyof typeof OWN)[]).find(name => node[name] !== undefined)
  const advice = "Give the collection db.selectFrom(query.as('it')), and the order by resource({ sort })."
  if (own !== undefined) throw new TypeError(`collection: the Kysely query has ${OWN[own]}. ${advice}`)
  const { where } = node.where ?? {}
  if (where?.kind === 'AndNode' && hasOr(where))
    throw new TypeError(
      'collection: the Kysely query has a raw condition with OR among others. Put it in parentheses: sql`(a or b)`.',
    )
}

/** `a and b or c` lets through what is `c` whatever `a` says, and that is hardly meant. */
function hasOr(node: OperationNode): boolean {
  if (node.kind === 'AndNode') {
    const { left, right } = node as OperationNode & Record<'left' | 'right', OperationNode>
    return hasOr(left) || hasOr(right)
  }
  let text = node.kind === 'RawNode' ? (node as RawNode).sqlFragments.join('?') : ''
  for (let before = ''; before !== text; ) {
    before = text
    text = text.replace(/\([^()]*\)/g, '')
  }
  return /\bor\b/i.test(text)
}

async function load(): Promise<Tag> {
  try {
    return (await import('kysely')).sql
  } catch (cause) {
    throw new TypeError('collection: kysely could not be loaded. Run npm install kysely.', { cause })
  }
}

function adapt(query: Select, node: SelectQueryNode, tag: Tag): Query {
  const dialect = dialectOf(query, tag)
  const select = inParentheses(query, node, tag)
  let last: { readonly conditions: readonly Sql[]; readonly filtered: Select } | undefined
  /** The rows and their number are asked for with the same conditions. */
  const where = (conditions: readonly Sql[]) => {
    if (last?.conditions === conditions) return last.filtered
    const filtered = conditions.reduce((query, it) => query.where(render<boolean>(tag, it)), select)
    last = { conditions, filtered }
    return filtered
  }
  return {
    dialect,
    async rows({ where: conditions, columns, order, limit, offset }: Ask) {
      const chosen = where(conditions).clearSelect().select(chosenOf(tag, columns))
      const sorted = order.reduce((query, it) => query.orderBy(render(tag, it)), chosen).limit(limit)
      return (offset > 0 ? sorted.offset(offset) : sorted).execute() as Promise<Record<string, unknown>[]>
    },
    async count(conditions) {
      const one = where(conditions).clearSelect().select(render<number>(tag, COUNT).as('total'))
      return Number(((await one.executeTakeFirst()) as { total: unknown }).total)
    },
    estimate: conditions =>
      estimateOf(dialect, format => where(conditions).clearSelect().select(tag<number>`1`.as('one')).explain(format)),
  }
}

/**
 * The same with its conditions as one: a raw `a or b`, and then ours, would let through what is `a` whatever ours say.
 * Kysely puts its own in parentheses, and so they stay as they are: a plugin that is not one of Kysely's may not take well
 * to see a condition twice.
 */
function inParentheses(select: Select, { where }: SelectQueryNode, tag: Tag): Select {
  if (!where || !hasRaw(where)) return select
  return select.clearWhere().where(tag<boolean>`(${{ toOperationNode: () => where.where }})`)
}

/** Is there SQL of the user's in it, anywhere but in values? */
function hasRaw(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  const { kind } = node as Partial<OperationNode>
  if (kind === undefined && !Array.isArray(node)) return false
  return kind === 'RawNode' || Object.values(node).some(hasRaw)
}

/** What was made of pieces of SQL and of columns, which are those of a slice that is read again and again. */
const rendered = new WeakMap<Sql, RawBuilder<unknown>>()
const chosen = new WeakMap<Ask['columns'], AliasedRawBuilder<unknown, string>[]>()

/** SQL with the tag of Kysely, through which names are quoted and values become parameters. */
function render<T>(tag: Tag, sql: Sql): RawBuilder<T> {
  const before = rendered.get(sql)
  if (before) return before as RawBuilder<T>
  const { texts, parts } = sql
  const strings = Object.assign([...texts], { raw: texts })
  const made = tag<T>(strings, ...parts.map(part => ('column' in part ? tag.ref(part.column) : tag.val(part.value))))
  rendered.set(sql, made)
  return made
}

function chosenOf(tag: Tag, columns: Ask['columns']): AliasedRawBuilder<unknown, string>[] {
  const made = chosen.get(columns) ?? columns.map(({ of, as }) => render(tag, of).as(as))
  chosen.set(columns, made)
  return made
}

/** A query does not tell its dialect, but its SQL does: how it quotes a name, and how it marks a parameter. */
function dialectOf(select: Select, tag: Tag): Dialect {
  const { sql } = select.clearSelect().select(tag`${1}`.as('probe')).compile()
  if (/^select \$1 as "probe"/.test(sql)) return postgres
  if (/^select \? as "probe"/.test(sql)) return sqlite
  if (/^select \? as `probe`/.test(sql)) return mysql
  const advice = 'It takes PostgreSQL, SQLite and MySQL; adapt another by defineSource().'
  throw new TypeError(`collection: the Kysely query is for a database that is not known here. ${advice}`)
}
