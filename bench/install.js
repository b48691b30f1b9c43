// What a user installs for a peer: its packages with all that they need, found on disk as Node finds them.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** @returns how many packages these are with their dependencies, and how many megabytes (of 10^6 bytes) they have. */
export function installOf(names) {
  const folders = new Set()
  for (const name of names) addWithDependencies(folders, name, HERE)
  const bytes = [...folders].reduce((sum, folder) => sum + bytesOf(folder), 0)
  return { packages: folders.size, megabytes: bytes / 1e6 }
}

function addWithDependencies(folders, name, from, isOptional = false) {
  const folder = find(name, from)
  if (!folder && isOptional) return
  if (!folder) throw new Error(`bench: ${name}, which ${from} needs, is not installed. Run npm ci in bench.`)
  if (folders.has(folder)) return
  folders.add(folder)
  const {
    dependencies = {},
    optionalDependencies = {},
    peerDependencies = {},
    peerDependenciesMeta = {},
  } = read(folder)
  for (const needed of Object.keys(dependencies))
    addWithDependencies(folders, needed, folder, needed in optionalDependencies)
  for (const needed of Object.keys(optionalDependencies)) addWithDependencies(folders, needed, folder, true)
  for (const needed of Object.keys(peerDependencies)) {
    if (!peerDependenciesMeta[needed]?.optional) addWithDependencies(folders, needed, folder)
  }
}

function read(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function find(name, from) {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return realpathSync(folder)
  return dirname(from) === from ? undefined : find(name, dirname(from))
}

/** The bytes of a package without what is installed inside; of kolba, which is linked, those of what is published. */
function bytesOf(folder) {
  if (!folder.includes('node_modules')) return published(folder)
  return bytesIn(folder)
}

function published(folder) {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const [{ unpackedSize }] = JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }))
  return unpackedSize
}

function bytesIn(path) {
  const about = lstatSync(path)
  if (!about.isDirectory()) return about.size
  const inside = readdirSync(path).filter(name => name !== 'node_modules')
  return inside.reduce((sum, name) => sum + bytesIn(join(path, name)), 0)
}
