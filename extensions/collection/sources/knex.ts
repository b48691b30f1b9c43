import type { Knex } from 'knex'
import type { PreparingSource } from '../types.ts'
import type { Dialect } from './dialect.ts'
import { estimateOf } from './estimate.ts'
import { mysql } from './mysql.ts'
import { postgres } from './postgres.ts'
import { type Ask, type Query, reading } from './read.ts'
import type { Sql } from './sql.ts'
import { sqlite } from './sqlite.ts'

type Select = Knex.QueryBuilder

interface Statement {
  readonly grouping: string
  readonly distinct?: boolean
  readonly distinctOn?: boolean
}

/** What a builder has made so far, and the client that it would run on. */
interface Inside {
  readonly _method: string
  readonly _single: { readonly limit?: unknown; readonly offset?: unknown }
  readonly _statements: Statement[]
  readonly client: { readonly dialect?: string; raw(sql: string, bindings: readonly unknown[]): Knex.Raw }
}

const DIALECTS: Readonly<Record<string, Dialect>> = { postgresql: postgres, sqlite3: sqlite, mysql }

/**
 * A query of Knex that has not run: `knex('customer').where({ company_id: 7 })`. Its tables, joins and conditions stay,
 * what it selects is replaced, and order, limit and offset are the collection's. The builder itself is not changed.
 *
 * Knex runs a query when somebody awaits it. So the handler must not be `async`, because JavaScript awaits what such a
 * function returns, and the collection stands right above the handler.
 */
export const knexSource: PreparingSource = {
  name: 'a Knex query',
  matches(value) {
    const { toSQL, clone, clearSelect, _statements } = Object(value) as Record<string, unknown>
    return [toSQL, clone, clearSelect].every(it => typeof it === 'function') && Array.isArray(_statements)
  },
  read: (value, slice, counting, ctx) => knexSource.prepare(slice, counting)(value, ctx),
  prepare(slice, counting) {
    const read = reading(slice, counting)
    return async value => {
      assertPlain(value as Inside)
      return read(adapt(value as Select & Inside))
    }
  },
}

const OWN: Readonly<Record<string, string>> = {
  group: 'groups',
  having: 'groups',
  union: 'a union',
  order: 'an order of its own',
}

function assertPlain({ _method, _single, _statements }: Inside): void {
  const advice = "Give the collection knex.from(query.as('it')), and the order by resource({ sort })."
  if (_method !== 'select') throw new TypeError(`collection: the Knex query is no select but ${_method}(). ${advice}`)
  const isDistinct = _statements.some(({ distinct, distinctOn }) => distinct || distinctOn)
  const own =
    _statements.map(({ grouping }) => OWN[grouping]).find(Boolean) ??
    (isDistinct ? 'distinct rows' : undefined) ??
    (_single.limit !== undefined ? 'a limit of its own' : undefined) ??
    (_single.offset !== undefined ? 'an offset of its own' : undefined)
  if (own !== undefined) throw new TypeError(`collection: the Knex query has ${own}. ${advice}`)
}

function adapt(select: Select & Inside): Query {
  const { client } = select
  const dialect = DIALECTS[client.dialect ?? '']
  if (!dialect) {
    const advice = 'It takes PostgreSQL, SQLite and MySQL; adapt another by defineSource().'
    throw new TypeError(`collection: the Knex query is for ${client.dialect ?? 'no database'}. ${advice}`)
  }
  const raw = (it: Sql, end = '', more: readonly unknown[] = []): Knex.Raw => {
    const marks = it.parts.map(part => ('column' in part ? '??' : '?'))
    const text = it.texts.map((text, index) => text + (marks[index] ?? '')).join('')
    return client.raw(text + end, [...it.parts.map(part => ('column' in part ? part.column : part.value)), ...more])
  }
  const where = (conditions: readonly Sql[]): Select =>
    conditions.reduce<Select>((query, it) => query.where(raw(it)), inParentheses(select))
  return {
    dialect,
    async rows({ where: conditions, columns, order, limit, offset }: Ask) {
      const query = where(conditions).select(columns.map(({ of, as }) => raw(of, ' as ??', [as])))
      for (const it of order) query.orderByRaw(raw(it))
      query.limit(limit)
      if (offset > 0) query.offset(offset)
      return query
    },
    async count(conditions) {
      const [row] = await where(conditions).count({ total: '*' })
      return Number((row as { total: unknown }).total)
    },
    estimate: conditions =>
      estimateOf(dialect, async format => {
        const { sql, bindings } = where(conditions)
          .select(client.raw('1 as ??', ['one']))
          .toSQL()
        const result = await client.raw(`explain ${format ? `(format ${format}) ` : ''}${sql}`, bindings)
        return dialect.name === 'MySQL' ? result[0] : result.rows
      }),
  }
}

/** A copy whose conditions are one: `a or b`, and then ours, would let through what is `a` whatever ours say. */
function inParentheses(select: Select & Inside): Select {
  const copy = select.clone().clearSelect().clearWhere() as Select
  const own = select._statements.filter(({ grouping }) => grouping === 'where')
  return own.length === 0 ? copy : copy.where(inner => void (inner as Select & Inside)._statements.push(...own))
}
