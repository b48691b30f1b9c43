import type { Order, Value } from '../types.ts'
import type { Dialect } from './dialect.ts'
import { all, any, FALSE, join, type Sql, sql } from './sql.ts'
import { boundsOf, compare, isNull } from './where.ts'

type Given = Exclude<Value, null>

interface Place {
  readonly order: Order
  readonly value: Value
  /** The unique key, which is never null. */
  readonly isKey: boolean
}

/**
 * The rows behind the one that has these values, as parts that follow each other: those with a null in the first field
 * and those without lie at two ends of an index, and a condition that takes both would read all between. Each part begins
 * with what an index can go to at once, so that the last page costs what the first does.
 */
export function partsAfter(its: Dialect, order: readonly Order[], after: readonly Value[]): Sql[] {
  const dialect = its.held ? { ...its, value: its.held } : its
  const places = order.map((order, index) => ({
    order,
    value: after[index] as Value,
    isKey: index === after.length - 1,
  }))
  if (dialect.ranges === 'one') return singleRanges(dialect, places)
  const [first, ...rest] = places as [Place, ...Place[]]
  const { field, descending } = first.order
  const nulls = isNull(dialect, field)
  if (first.value === null) {
    const within = all([nulls, behindAll(dialect, rest)])
    return descending ? [within] : [within, isNull(dialect, field, false)]
  }
  const within = behindValue(dialect, places)
  return descending && !first.isKey ? [within, nulls] : [within]
}

/** `a = 1 and b > 2`, then `a > 1`: each is one range of an index on a and b. */
function singleRanges(dialect: Dialect, [first, ...rest]: readonly Place[]): Sql[] {
  if (!first) return []
  const { value, order, isKey } = first
  const same = value === null ? isNull(dialect, order.field) : compare(dialect, order.field, 'eq', value)
  const ties = singleRanges(dialect, rest).map(it => all([same, it]))
  if (value === null) return order.descending ? ties : [...ties, isNull(dialect, order.field, false)]
  const behind = [...ties, beyond(dialect, first)]
  return order.descending && !isKey ? [...behind, isNull(dialect, order.field)] : behind
}

/** Those that have a value in the first field. */
function behindValue(dialect: Dialect, places: readonly Place[]): Sql {
  const [first, ...rest] = places as [Place, ...Place[]]
  const { field, descending } = first.order
  const value = first.value as Given
  const bounds = boundsOf(dialect, field, descending ? 'lte' : 'gte', value)
  if (rest.length === 0) return beyond(dialect, first)
  if (dialect.ranges === 'rows' && isUniform(places)) return all([...bounds, comparesRow(dialect, places)])
  const begin = compare(dialect, field, descending ? 'lte' : 'gte', value)
  const same = all([compare(dialect, field, 'eq', value), behindAll(dialect, rest)])
  return all([begin, any([beyond(dialect, first), same])])
}

/** One direction and no null, so that `(a, b) > (1, 2)` says it; descending, a null between would be left out by that. */
function isUniform(places: readonly Place[]): boolean {
  const { descending } = (places[0] as Place).order
  return (
    places.every(({ order, value }) => order.descending === descending && value !== null) &&
    (!descending || places.length === 2)
  )
}

function comparesRow(dialect: Dialect, places: readonly Place[]): Sql {
  const keys = join(
    places.map(({ order }) => dialect.key(order.field)),
    ', ',
  )
  const values = join(
    places.map(({ order, value }) => dialect.value(order.field, value as Given)),
    ', ',
  )
  return (places[0] as Place).order.descending ? sql`(${keys}) < (${values})` : sql`(${keys}) > (${values})`
}

function behindAll(dialect: Dialect, places: readonly Place[]): Sql {
  const [first, ...rest] = places
  if (!first) return FALSE
  const behind = behindOne(dialect, first)
  if (rest.length === 0) return behind
  const { value, order } = first
  const same = value === null ? isNull(dialect, order.field) : compare(dialect, order.field, 'eq', value)
  return any([behind, all([same, behindAll(dialect, rest)])])
}

function behindOne(dialect: Dialect, place: Place): Sql {
  const { order, value, isKey } = place
  if (value === null) return order.descending ? FALSE : isNull(dialect, order.field, false)
  const behind = beyond(dialect, place)
  return order.descending && !isKey ? any([behind, isNull(dialect, order.field)]) : behind
}

function beyond(dialect: Dialect, { order, value }: Place): Sql {
  return compare(dialect, order.field, order.descending ? 'lt' : 'gt', value as Given)
}
