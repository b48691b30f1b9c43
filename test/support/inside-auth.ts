import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'

type Jws = typeof import('../../dist/extensions/auth/jws.js')
type KeyRing = typeof import('../../dist/extensions/auth/key-ring.js')

const load = (name: string) => import(pathToFileURL(join(root, 'dist/extensions/auth', `${name}.js`)).href)

/** The parts of kolba/auth that know of signatures and of no claims, for vectors whose payloads are none. */
export const { verifySignature }: Jws = await load('jws')
export const { readKeys, ringOf }: KeyRing = await load('key-ring')
