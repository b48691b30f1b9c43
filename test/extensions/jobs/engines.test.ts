import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { conformance } from '../../support/engine-suite.js'
import { root } from '../../support/root.js'

const load = (name: string) => import(pathToFileURL(join(root, `dist/extensions/jobs/${name}.js`)).href)
const { memory } = (await load('memory')) as typeof import('../../../dist/extensions/jobs/memory.js')

conformance('memory', {
  store: () => {
    const engine = memory()
    return { engine: () => engine }
  },
  isShared: false,
  runs: 300,
})
