import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'

type Conditional = typeof import('../../dist/src/conditional/index.js')

/** What extensions need of preconditions, of the very package that `kolba` is: a copy of it would know none of its values. */
export const { currentReader, inTurn, isReading }: Conditional = await import(
  pathToFileURL(join(root, 'dist/src/conditional/index.js')).href
)
