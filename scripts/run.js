// `npm start`, `npm test`, `npm run build` and what comes before `npm pack`: each sets up what it needs, so that nothing has
// to come before it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const tsc = ['node_modules/typescript/bin/tsc', '-p']
const tasks = {
  build: [[...tsc, '.']],
  bundle: [[...tsc, '.'], ['scripts/bundle.js']],
  start: [
    [...tsc, '.'],
    [...tsc, 'examples'],
  ],
  // Programs that tests start begin sooner on the bundle, and it is what users have.
  test: [
    [...tsc, '.'],
    ['scripts/bundle.js', 'dist/src/conditional/index.js'],
    [...tsc, 'test'],
    [...tsc, 'test/legacy-decorators'],
    ['node_modules/ava/entrypoints/cli.mjs'],
  ],
}
/** For tests alone: clients that bring React with them, and the middlewares of Koa. `npm start` does without. */
const others = ['test/interop/clients', 'test/interop/middleware']
const how = { stdio: 'inherit', shell: process.platform === 'win32' }
const [task, ...rest] = process.argv.slice(2)

// npm waits most of the time, so all that is missing is installed at once.
const folders = ['.', ...(task === 'test' ? others : [])]
const installed = folders
  .filter(folder => !isInstalled(folder))
  .map(async folder => {
    const npm = spawn('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { ...how, cwd: folder })
    return { folder, status: (await once(npm, 'exit'))[0] }
  })
for (const { folder, status } of await Promise.all(installed)) {
  // Without the others some tests are skipped, and say so.
  if (folder === '.' && status !== 0) process.exit(status ?? 1)
}
const anew = { test: ['dist', 'build'], bundle: ['dist'] }
for (const folder of anew[task] ?? []) rmSync(folder, { recursive: true, force: true })
tasks[task].forEach((step, index, steps) => {
  run(process.execPath, task === 'test' && index === steps.length - 1 ? [...step, ...rest] : step)
})
if (task === 'start') {
  // In this process, so that a signal reaches the app, and once.
  process.argv[1] = resolve('build/examples/atlas.js')
  await import(pathToFileURL(process.argv[1]).href)
}

/** Is everything there in the versions of the lock file? npm keeps a list; what is optional may not fit the machine. */
function isInstalled(folder) {
  const list = `${folder}/node_modules/.package-lock.json`
  if (!existsSync(list)) return false
  const { '': _root, ...wanted } = packagesOf(`${folder}/package-lock.json`)
  const found = packagesOf(list)
  return Object.entries(wanted).every(([path, { version, optional, devOptional, peer }]) =>
    found[path] ? found[path].version === version : optional || devOptional || peer,
  )
}

function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

function run(command, args) {
  const { status, signal } = spawnSync(command, args, how)
  if (status !== 0) process.exit(signal ? 1 : status)
}
