import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { root } from '../../support/root.js'

const { Heap } = (await import(
  pathToFileURL(join(root, 'dist/extensions/jobs/heap.js')).href
)) as typeof import('../../../dist/extensions/jobs/heap.js')

const heapOf = (items: readonly number[]) => {
  const heap = new Heap<number>((one, other) => one < other)
  for (const item of items) heap.push(item)
  return heap
}
const drained = (heap: InstanceType<typeof Heap<number>>) => {
  const all: number[] = []
  for (let item = heap.shift(); item !== undefined; item = heap.shift()) all.push(item)
  return all
}
const inOrder = (items: readonly number[]) => items.toSorted((one, other) => one - other)

test('Heap gives what was put in by its order', t => {
  fc.assert(fc.property(fc.array(fc.integer()), items => t.deepEqual(drained(heapOf(items)), inOrder(items))))
  t.is(heapOf([]).first, undefined)
  t.is(heapOf([3, 1, 2]).first, 1)
})

test('Heap keeps its order while some are taken out and others put in', t => {
  const steps = fc.array(fc.option(fc.integer()), { maxLength: 200 })
  fc.assert(
    fc.property(steps, steps => {
      const heap = heapOf([])
      let model: number[] = []
      for (const step of steps) {
        if (step !== null) {
          heap.push(step)
          model = inOrder([...model, step])
        } else t.is(heap.shift(), model.shift())
        t.is(heap.first, model[0])
      }
    }),
  )
})

test('Heap.keep() leaves out all others, and keeps the order', t => {
  const isKept = (item: number) => item % 3 === 0
  fc.assert(
    fc.property(fc.array(fc.integer()), items => {
      const heap = heapOf(items)
      heap.keep(isKept)
      t.deepEqual(drained(heap), inOrder(items.filter(isKept)))
    }),
  )
})
