// `npm start`, `npm test` and `npm run build`: each sets up what it needs, so that nothing has to come before it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const tsc = ['node_modules/typescript/bin/tsc', '-p']
const tasks = {
  build: [[...tsc, '.']],
  start: [[...tsc, '.'], [...tsc, 'examples'], ['build/examples/atlas.js']],
  test: [[...tsc, '.'], [...tsc, 'test'], [...tsc, 'test/legacy-decorators'], ['node_modules/ava/entrypoints/cli.mjs']],
}
const [task, ...rest] = process.argv.slice(2)

if (!isInstalled()) await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
if (task === 'test') for (const folder of ['dist', 'build']) rmSync(folder, { recursive: true, force: true })
const steps = tasks[task]
for (const [index, step] of steps.entries()) {
  await run(process.execPath, index === steps.length - 1 ? [...step, ...rest] : step)
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

async function run(command, args) {
  const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
  // A terminal sends Ctrl-C to the child as well; SIGTERM comes here alone and is passed on.
  const wait = () => {}
  const pass = () => child.kill('SIGTERM')
  process.on('SIGINT', wait).on('SIGTERM', pass)
  const [status] = await once(child, 'exit')
  process.off('SIGINT', wait).off('SIGTERM', pass)
  if (status !== 0) process.exit(status ?? 1)
}
