import { spawnSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'

/**
 * A test that needs a program of the machine. Where there is none the test is skipped, under a title that says so, or
 * fails if `KOLBA_REQUIRE` names it.
 */
export function testTool(
  tool: string,
  isThere: boolean,
  title: string,
  run: (t: ExecutionContext) => Promise<void>,
): void {
  // One after another: a browser takes memory.
  if (isThere) return test.serial(title, run)
  const reason = `there is no ${tool} on this machine`
  if (process.env.KOLBA_REQUIRE?.split(',').includes(tool)) return test(title, t => t.fail(reason))
  test.skip(`${title} (skipped: ${reason})`, t => t.pass())
}

/** Does a command run and say its version? */
export function hasCommand(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0
}
