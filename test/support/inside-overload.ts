import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'

type Inside = typeof import('../../dist/extensions/overload/strict.js')

/** What decides in `overload()`, to be asked about a loop of which the test makes the time. */
export const { Strict }: Inside = await import(pathToFileURL(join(root, 'dist/extensions/overload/strict.js')).href)
