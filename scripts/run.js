// `npm start`, `npm test` and `npm run build`: each sets up what it needs, so that nothing has to come before it.
import { spawnSync } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const tsc = ['node_modules/typescript/bin/tsc', '-p']
const tasks = {
  build: [[...tsc, '.']],
  start: [[...tsc, '.'], [...tsc, 'test'], ['build/examples/atlas.js']],
  test: [[...tsc, '.'], [...tsc, 'test'], [...tsc, 'test/legacy-decorators'], ['node_modules/ava/entrypoints/cli.mjs']],
}
const [task, ...rest] = process.argv.slice(2)

if (!isInstalled()) run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
if (task === 'test') for (const folder of ['dist', 'build']) rmSync(folder, { recursive: true, force: true })
const steps = tasks[task]
steps.forEach((step, index) => {
  run(process.execPath, index === steps.length - 1 ? [...step, ...rest] : step)
})

/** npm writes its own copy of the lock file when it has installed everything in it. */
function isInstalled() {
  const changed = path => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return changed('node_modules/.package-lock.json') >= changed('package-lock.json')
}

function run(command, args) {
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(signal ? 1 : status)
}
