import type { Condition, Field, Order, Row, Slice, Value } from '../../extensions/collection/types.ts'

// What a slice means, written for the reader and not for speed: the sources are held against it.

type Rows = readonly Readonly<Record<string, unknown>>[]

export function slowRead(all: Rows, slice: Slice): { rows: Row[]; total: number; more: boolean } {
  const found = all.filter(
    row => slice.where.every(it => holds(row, it)) && (!slice.search || searched(row, slice.search)),
  )
  const sorted = found.toSorted((a, b) => compareRows(a, b, slice.order))
  const behind = sorted.filter(row => !slice.after || comparesTo(row, slice.after, slice.order) > 0)
  const rows = behind.slice(slice.offset, slice.offset + slice.limit)
  return {
    rows: rows.map(row => Object.fromEntries(slice.fields.map(({ name, column }) => [name, row[column]]))),
    total: found.length,
    more: behind.length > slice.offset + slice.limit,
  }
}

function holds(row: Readonly<Record<string, unknown>>, { field, operator, values }: Condition): boolean {
  const value = row[field.column] as Value
  const signs = values.map(other => compare(value, other))
  const [one = 0, two = 0] = signs
  if (operator === 'null') return (value === null) === values[0]
  if (operator === 'ne' || operator === 'nin') return value === null || !signs.includes(0)
  if (value === null) return false
  if (operator === 'like') return isLike([...fold(String(value))], [...fold(String(values[0]))])
  return {
    eq: one === 0,
    in: signs.includes(0),
    lt: one < 0,
    lte: one <= 0,
    gt: one > 0,
    gte: one >= 0,
    between: one >= 0 && two <= 0,
  }[operator]
}

function searched(
  row: Readonly<Record<string, unknown>>,
  { text, fields }: { text: string; fields: readonly Field[] },
) {
  return fields.some(
    ({ column }) => typeof row[column] === 'string' && fold(row[column] as string).includes(fold(text)),
  )
}

function fold(text: string): string {
  return [...text].map(it => (it >= 'A' && it <= 'Z' ? it.toLowerCase() : it)).join('')
}

/** By a table: can what is up to here of the text be what is up to here of the pattern? */
function isLike(text: readonly string[], pattern: readonly string[]): boolean {
  let row = [true, ...text.map(() => false)]
  for (const sign of pattern) {
    const next = [sign === '*' && row[0] === true]
    text.forEach((character, index) => {
      next.push(
        sign === '*' ? row[index + 1] === true || next[index] === true : row[index] === true && character === sign,
      )
    })
    row = next
  }
  return row.at(-1) === true
}

function compareRows(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  order: readonly Order[],
) {
  return comparesTo(
    a,
    order.map(({ field }) => b[field.column] as Value),
    order,
  )
}

function comparesTo(row: Readonly<Record<string, unknown>>, values: readonly Value[], order: readonly Order[]): number {
  for (const [index, { field, descending }] of order.entries()) {
    const sign = compare(row[field.column] as Value, values[index] as Value)
    if (sign !== 0) return descending ? -sign : sign
  }
  return 0
}

function compare(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)))
  return Math.sign(Number(a) - Number(b))
}
