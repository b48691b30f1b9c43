// `npm start`, `npm test` and `npm run build`: each sets up what it needs, so that nothing has to come before it.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const tsc = ['node_modules/typescript/bin/tsc', '-p']
const tasks = {
  build: [[...tsc, '.']],
  start: [
    [...tsc, '.'],
    [...tsc, 'examples'],
  ],
  test: [[...tsc, '.'], [...tsc, 'test'], [...tsc, 'test/legacy-decorators'], ['node_modules/ava/entrypoints/cli.mjs']],
}
const [task, ...rest] = process.argv.slice(2)

if (!isInstalled()) run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
if (task === 'test') for (const folder of ['dist', 'build']) rmSync(folder, { recursive: true, force: true })
tasks[task].forEach((step, index, steps) => {
  run(process.execPath, task === 'test' && index === steps.length - 1 ? [...step, ...rest] : step)
})
if (task === 'start') {
  // In this process, so that a signal reaches the app, and once.
  process.argv[1] = resolve('build/examples/atlas.js')
  await import(pathToFileURL(process.argv[1]).href)
}

/** Is everything there in the versions of the lock file? npm keeps a list; what is optional may not fit the machine. */
function isInstalled() {
  if (!existsSync('node_modules/.package-lock.json')) return false
  const { '': _root, ...wanted } = packagesOf('package-lock.json')
  const found = packagesOf('node_modules/.package-lock.json')
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) =>
    found[path] ? found[path].version === version : optional || devOptional,
  )
}

function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

function run(command, args) {
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(signal ? 1 : status)
}
