import test from 'ava'
import fc from 'fast-check'
import { Table } from '../../extensions/cache/table.ts'

const text = fc.constantFrom('', 'a', 'b', 'ab', '__proto__', 'constructor')
const step = fc.tuple(fc.constantFrom('set', 'delete'), text, text, fc.nat(9))

test('a Table has what was set last under its two texts, until that is deleted, and no row without columns', t => {
  fc.assert(
    fc.property(fc.array(step), steps => {
      const table = new Table<number>()
      const expected = new Map<string, [row: string, column: string, value: number]>()
      for (const [what, row, column, value] of steps) {
        const key = JSON.stringify([row, column])
        if (what === 'set') {
          table.set(row, column, value)
          expected.set(key, [row, column, value])
        } else {
          table.delete(row, column)
          expected.delete(key)
        }
      }
      const all = [...expected.values()]
      const found = table.rows().flatMap(row => table.columns(row).map(column => [row, column, table.get(row, column)]))
      t.deepEqual(found.map(String).sort(), all.map(String).sort())
      t.deepEqual(table.rows().sort(), [...new Set(all.map(([row]) => row))].sort())
      t.is(table.get('nobody', 'a'), undefined)
    }),
  )
})
