import { mkdtempSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { conformance } from '../../support/engine-suite.js'
import { root } from '../../support/root.js'

const load = (name: string) => import(pathToFileURL(join(root, `dist/extensions/jobs/${name}.js`)).href)
const { memory } = (await load('memory')) as typeof import('../../../dist/extensions/jobs/memory.js')
const { sqlite } = (await load('sqlite')) as typeof import('../../../dist/extensions/jobs/sqlite.js')

conformance('memory', {
  store: () => {
    const engine = memory()
    return { engine: () => engine }
  },
  isShared: false,
  runs: 300,
})

const hasNode = isBuiltin('node:sqlite')

for (const driver of ['libsql', 'node:sqlite'] as const) {
  conformance(`sqlite by ${driver}`, {
    store() {
      const folder = mkdtempSync(join(tmpdir(), 'kolba-jobs-'))
      return {
        engine: () => sqlite(join(folder, 'jobs.db'), { driver }),
        remove: () => rmSync(folder, { recursive: true, maxRetries: 5 }),
      }
    },
    isShared: true,
    runs: 100,
    skip: driver === 'node:sqlite' && !hasNode ? `Node ${process.versions.node} has no node:sqlite` : undefined,
    needs: driver,
  })
}
