import test from 'ava'
import fc from 'fast-check'
import { ByText } from '../../src/by-text.ts'

test('ByText gives what a Map gives, whether it has few texts or many', t => {
  const text = fc.string({ maxLength: 2, unit: fc.constantFrom('a', 'b', 'é', '/') })
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 20 }), fc.array(text), (added, asked) => {
      const values = new ByText<number>()
      const model = new Map<string, number>()
      for (const [value, text] of added.entries()) {
        t.false(values.has(text))
        values.add(text, value)
        model.set(text, value)
        for (const it of [...added, ...asked]) {
          t.is(values.get(it), model.get(it))
          t.is(values.has(it), model.has(it))
        }
      }
    }),
  )
  t.is(new ByText().get(''), undefined)
})
