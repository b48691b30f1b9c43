import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the repository, wherever this file was built to. */
export const root = rootOf(import.meta.dirname)

/** The folder of the compiler: of the package typescript, or what the environment says. */
const folder = process.env.KOLBA_TYPESCRIPT ?? join(root, 'node_modules/typescript')
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }

/** The version of the compiler, `7.0.2`. */
export const compilerVersion = version

/** What the compiler prints of a project, from the folder of the repository. */
export function compile(project: string, ...options: string[]): Promise<string> {
  const args = [join(folder, 'bin/tsc'), '--noEmit', '--pretty', 'false', '-p', project, ...options]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      // A compiler that finds errors exits with 1 or 2, one that could not run has nothing on stdout.
      if (error && stdout === '') reject(new Error(`The compiler did not run: ${stderr}`, { cause: error }))
      else resolve(stdout)
    })
  })
}

function rootOf(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : rootOf(dirname(from))
}
