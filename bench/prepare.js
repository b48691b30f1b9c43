import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Builds kolba as it is published, and installs the peers when there is something new to install. */
export function prepare() {
  run(process.execPath, [fileURLToPath(new URL('../scripts/run.js', import.meta.url)), 'bundle'])
  const changed = path => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return
  run('npm', ['ci', '--no-audit', '--no-fund'])
}

function run(command, args) {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}
