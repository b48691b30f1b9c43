import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { root } from './root.ts'

/** The default export of a package. */
export type Load = (name: string) => unknown

/**
 * Packages that only some tests need have a folder of their own in test/interop, which `npm test` installs.
 *
 * @returns what makes a test with them. Where they are not installed the test is skipped, under a title that says so,
 *   or fails if `KOLBA_REQUIRE` names the folder
 */
export function packagesOf(
  folder: string,
): (title: string, run: (t: ExecutionContext, load: Load) => void | Promise<void>) => void {
  const manifest = join(root, 'test/interop', folder, 'package.json')
  const isThere = existsSync(join(manifest, '../node_modules/.package-lock.json'))
  const reason = `test/interop/${folder} is not installed: npm ci --prefix test/interop/${folder}`
  const require = createRequire(manifest)
  // As CommonJS, of which a default export may be all there is, or one among others.
  const load: Load = name => {
    const all = require(name)
    return all.default ?? all
  }
  return (title, run) => {
    if (isThere) return test(title, async t => run(t, load))
    if (process.env.KOLBA_REQUIRE?.split(',').includes(folder)) return test(title, t => t.fail(reason))
    test.skip(`${title} (skipped: ${reason})`, t => t.pass())
  }
}
