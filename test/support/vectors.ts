import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'

/**
 * A test over a file of public test data, which lies beside the repository and not in it. Where it is absent the test
 * is skipped, under a title that says so, or fails if `KOLBA_REQUIRE` names `vectors`.
 */
export function testVectors(title: string, file: string, run: (t: ExecutionContext, text: string) => unknown): void {
  const path = join(repository(import.meta.dirname), '../shared/vectors', file)
  if (existsSync(path)) return test(title, t => run(t, readFileSync(path, 'utf8')) as Promise<void>)
  if (!process.env.KOLBA_REQUIRE?.includes('vectors'))
    return test.skip(`${title} (skipped: there is no ../shared/vectors/${file})`, t => t.pass())
  test(title, t => t.fail(`there is no ../shared/vectors/${file}`))
}

/** The lines of a file in NDJSON. */
export function lines<T>(text: string): T[] {
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

export function repository(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : repository(dirname(folder))
}
