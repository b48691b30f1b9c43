import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'

type Body = (t: ExecutionContext, text: string) => unknown

/**
 * A test over a file of public vectors, which lie beside the repository. Where they are not there, as in a fresh clone,
 * it is skipped and says so; with KOLBA_REQUIRE=vectors it fails.
 */
export function vectorTest(file: string, title: string, body: Body): void {
  const path = join(rootFrom(import.meta.dirname), '..', 'shared', 'vectors', file)
  if (existsSync(path)) test(title, t => body(t, readFileSync(path, 'utf8')))
  else if (process.env.KOLBA_REQUIRE?.includes('vectors')) test(title, t => t.fail(`There is no ${path}.`))
  else test.skip(`${title} (skipped: there is no ../shared/vectors/${file})`, t => t.fail())
}

function rootFrom(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootFrom(dirname(folder))
}
