import type { Awaitable, BaseContext } from '../../src/index.ts'

/**
 * What a field holds. An enum is a string of a few. `other` is an object, a list or one of several types: it is given
 * as it is, and nothing filters or sorts by it, except the equality by which a relation is loaded.
 */
export type FieldType = 'string' | 'number' | 'boolean' | 'date' | 'enum' | 'other'

/** What a value of a field is in JavaScript, whatever the source has. */
export type Value = string | number | boolean | Date | null

/** A field of a resource, declared once: nothing else of a row is ever read, filtered or sorted by. */
export interface Field {
  /** As clients name it. */
  readonly name: string
  readonly type: FieldType
  /** Those of an enum. */
  readonly values?: readonly string[] | undefined
  /** As the source names it: a property of the row, or a column, `invoice.total` where the query joins. */
  readonly column: string
  /** How a source without dates has them. @default a Date, or ISO 8601 text in SQLite */
  readonly stored?: 'text' | 'seconds' | 'milliseconds' | undefined
  /** 'binary' is text by code point and dates by their milliseconds in every source; 'database' is as the database does. */
  readonly collation: 'binary' | 'database'
  /** Nobody sees it: it is read for a relation. */
  readonly isHidden?: boolean | undefined
}

export type Operator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'nin' | 'like' | 'null' | 'between'

/**
 * One condition; a row has to fulfil all of them. `eq ne lt lte gt gte like` have one value, `between` two, `in` and `nin`
 * one or more, `null` true or false. Null fulfils none but `null` and, as SQL would not have it, `ne` and `nin`.
 */
export interface Condition {
  readonly field: Field
  readonly operator: Operator
  readonly values: readonly Exclude<Value, null>[]
}

export interface Order {
  readonly field: Field
  readonly descending: boolean
}

/** What rows are wanted at all. */
export interface Filter {
  readonly where: readonly Condition[]
  /** Text that one of these fields contains, the case of ASCII letters aside. */
  readonly search?: { readonly text: string; readonly fields: readonly Field[] } | undefined
}

/** A part of the rows, in a total order: the last of `order` is the unique key. Null comes before all values. */
export interface Slice extends Filter {
  readonly order: readonly Order[]
  /** Only rows behind the one that has these values, in the order of `order`. */
  readonly after?: readonly Value[] | undefined
  readonly offset: number
  /** At most so many rows. */
  readonly limit: number
  /** What is read of each row. */
  readonly fields: readonly Field[]
}

/** A row by the names of its fields, with values of their declared types. */
export type Row = Record<string, unknown>

export type Counting = 'exact' | 'estimated' | 'none'

export interface Rows {
  readonly rows: readonly Row[]
  /** How many rows the filter lets through, where it was asked for. */
  readonly total?: number | undefined
  /** Are there rows behind the last one? Undefined where the source would have to be asked again. */
  readonly more?: boolean | undefined
  /** What the first and the last row are sorted by, where that is not what was read of them. */
  readonly places?: ReadonlyMap<Row, Row> | undefined
}

/** Reads one slice of whatever rows it is given. */
export type ReadSlice<S = unknown> = (source: S, ctx: BaseContext) => Awaitable<Rows>

/** A source that is built in, and makes a slice ready once, for all who ask for it. Its rows have the fields of it alone. */
export interface PreparingSource<S = unknown> extends Source<S> {
  prepare(slice: Slice, counting: Counting): ReadSlice<S>
}

/** Where rows come from. A source is chosen by what the handler has returned. */
export interface Source<S = unknown> {
  /** As errors name it. */
  readonly name: string
  matches(value: unknown): boolean
  /**
   * Reads a slice. A source that is asked through a language of its own (SQL) sends all of it there, values as
   * parameters, and fetches no row more than `limit`.
   */
  read(source: S, slice: Slice, counting: Counting, ctx: BaseContext): Awaitable<Rows>
}
