import { problem } from '../../src/index.ts'
import type { Relation, Resource } from './resource.ts'
import type { Row } from './types.ts'

/** Relations by name, each with those that are wanted of its rows: `customer` and `customer.country` read customers once. */
export type Tree = Map<string, Tree>

/** Rows of one list relation in an answer: as many as a relation may be told to read. */
const MOST = 10_000

/**
 * Refuses an answer that is very much larger than what was read for it. A row that several others lead to stands in the
 * answer once for each of them, with all that was expanded below it: of 100 customers of one country, each has all
 * customers of that country in `country.customers`.
 *
 * @throws Problem 400
 */
export function refuseCopies(rows: readonly Row[], tree: Tree, resource: Resource): void {
  refuseBelow(new Map(rows.map(row => [row, 1])), tree, resource, '')
}

/** @param times how often each row stands in the answer */
function refuseBelow(times: ReadonlyMap<Row, number>, tree: Tree, { relations }: Resource, above: string): void {
  for (const [name, below] of tree) {
    const { many, resource } = relations.get(name) as Relation
    const others = new Map<Row, number>()
    let all = 0
    for (const [row, count] of times) {
      const found = [row[name] ?? []].flat() as Row[]
      all += count * found.length
      if (many && all > MOST) throw tooMany(`${above}${name}`)
      for (const other of found) others.set(other, (others.get(other) ?? 0) + count)
    }
    if (below.size > 0) refuseBelow(others, below, resource, `${above}${name}.`)
  }
}

function tooMany(path: string) {
  const detail = `There would be more than ${MOST} rows in ${path}, each counted as often as the answer has it.`
  return problem(400, { detail: `${detail} Ask for fewer rows at a time, or leave ${path} out.` })
}
