import type { Dialect } from './dialect.ts'

type Row = Record<string, unknown>

/**
 * How many rows a query would give by the plan of PostgreSQL (`Plan Rows`) or MySQL (`rows` and `filtered` of each table).
 * SQLite has no such number, so there the rows are counted.
 *
 * @param explain runs the query under `explain`
 * @returns undefined where the plan does not say it
 */
export async function estimateOf(
  { name }: Dialect,
  explain: (format?: 'json') => Promise<readonly unknown[]>,
): Promise<number | undefined> {
  if (name === 'SQLite') return
  if (name === 'MySQL') return product((await explain()) as readonly Row[])
  const [row] = await explain('json')
  const [given] = Object.values((row ?? {}) as Row)
  const [plan] = (typeof given === 'string' ? JSON.parse(given) : given) as [Record<string, Row>?]
  const rows = plan?.Plan?.['Plan Rows']
  return typeof rows === 'number' ? rows : undefined
}

function product(tables: readonly Row[]): number | undefined {
  if (tables.length === 0) return
  const rows = tables.map(({ rows, filtered }) => Number(rows ?? 0) * (Number(filtered ?? 100) / 100))
  return Math.round(rows.reduce((all, it) => all * it, 1))
}
