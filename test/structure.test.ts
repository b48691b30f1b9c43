// examples -> extensions -> src -> koa, @koa/router, path-to-regexp, node:. This reads the imports and holds it.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { root } from './support/root.js'

const { withoutComments } = await import(pathToFileURL(join(root, 'scripts/lines.js')).href)
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const dependencies = Object.keys(manifest.dependencies)
const peers = Object.keys(manifest.peerDependencies ?? {})
const optional = peers.filter(name => manifest.peerDependenciesMeta?.[name]?.optional)
const development = Object.keys(manifest.devDependencies)

interface Import {
  file: string
  from: string
  kind: 'static' | 'type' | 'dynamic'
}

test('importsOf() finds every kind of import, and none in a comment', t => {
  const text = [
    "import a, { type B } from 'a'",
    "import type { C } from 'c'",
    "import 'd'",
    "export * from 'e'",
    "export type { F } from 'f'",
    'import {\n  g,\n} from "g"',
    "const h = await import('h')",
    "// import i from 'i'",
    "/** @example import j from 'j' */",
    "type K = import('k').K",
    "const l = createRequire(import.meta.url)('l')",
  ].join('\n')
  t.deepEqual(
    importsOf('x.ts', text).map(({ from, kind }) => `${from} ${kind}`),
    ['a static', 'c type', 'd static', 'e static', 'f type', 'g static', 'h dynamic', 'k dynamic', 'l dynamic'],
  )
})

test('src imports itself, koa, @koa/router, path-to-regexp, types, node:, and optional peers when they are needed', t => {
  const allowed = ['koa', '@koa/router', 'path-to-regexp']
  const wrong = importsIn('src').filter(
    ({ file, from, kind }) =>
      !isInside('src', file, from) &&
      !isNode(from) &&
      !allowed.includes(from) &&
      !(from === '@standard-schema/spec' && kind === 'type') &&
      !(isPackage(from, optional) && kind !== 'static'),
  )
  t.deepEqual(wrong, [])
})

/** What of the core an extension may import: what everyone may, and the rooms that only extensions need. */
const ENTRANCES = [
  'src/index.ts',
  'src/schema/index.ts',
  'src/body/body.ts',
  'src/conditional/index.ts',
  'src/detached/index.ts',
  'src/headers/index.ts',
]

test('an extension imports the entrances of src, its own files, node: and packages, and no other extension', t => {
  const wrong = importsIn('extensions').filter(({ file, from }) => {
    const [, name = ''] = file.replace(/\.ts$/, '').split('/')
    const isOwn = isInside(`extensions/${name}`, file, from)
    return (
      !ENTRANCES.includes(resolve(file, from) ?? '') && !isOwn && !isNode(from) && !isPackage(from, dependencies, peers)
    )
  })
  t.deepEqual(wrong, [])
})

test('the precondition engine knows no Koa: it imports the reading of dates alone', t => {
  const engine = /src\/conditional\/(?:preconditions|http-date)\.ts$/
  const all = importsIn('src/conditional').filter(({ file }) => engine.test(file))
  t.deepEqual(
    all.map(({ from }) => from),
    ['./http-date.ts'],
  )
})

test('src and extensions load an optional peer when it is needed, because it may not be there', t => {
  const all = [...importsIn('src'), ...importsIn('extensions')]
  t.deepEqual(
    all.filter(({ from, kind }) => isPackage(from, optional) && kind === 'static'),
    [],
  )
})

test('an example imports kolba, node:, packages and other examples', t => {
  const wrong = importsIn('examples').filter(
    ({ file, from }) =>
      !isInside('examples', file, from) &&
      !isNode(from) &&
      !isPackage(from, ['kolba'], dependencies, peers, development),
  )
  t.deepEqual(wrong, [])
})

test('package.json exports the core and the extensions that exist', t => {
  const { '.': core, './package.json': itself, ...subpaths } = manifest.exports
  t.deepEqual(core, { types: './dist/src/index.d.ts', default: './dist/src/index.js' })
  t.is(itself, './package.json')
  const expected = extensions().map(({ name, file }) => {
    const built = `./dist/${file.replace(/\.ts$/, '')}`
    return [`./${name}`, { types: `${built}.d.ts`, default: `${built}.js` }]
  })
  t.deepEqual(subpaths, Object.fromEntries(expected))
})

const locks = ['', 'bench/', 'test/interop/clients/', 'test/interop/middleware/'].map(it => `${it}package-lock.json`)
for (const lock of locks) {
  test(`${lock} names no registry, so that it installs from any`, t => {
    t.notRegex(readFileSync(join(root, lock), 'utf8'), /"resolved": "http/)
  })
}

for (const { name, file } of extensions()) {
  test(`kolba/${name} has a row in the README and a test`, t => {
    const rows = readFileSync(join(root, 'README.md'), 'utf8')
      .split('\n')
      .filter(line => line.startsWith('|'))
    t.true(
      rows.some(row => row.includes(`\`kolba/${name}\``)),
      `No row of a table in README.md has kolba/${name}.`,
    )
    const path = `test/${file.replace(/\.ts$/, '.test.ts')}`
    const folder = join(root, 'test/extensions', name)
    t.true(existsSync(join(root, path)) || existsSync(folder), `There is no ${path}.`)
  })
}

test("import 'kolba' loads no extension and no optional peer", async t => {
  const loaded = await loadedBy('kolba')
  t.true(loaded.some(url => url.endsWith('/dist/src/app.js')))
  t.true(loaded.some(url => url.includes('/node_modules/koa/')))
  t.deepEqual(
    loaded.filter(url => url.includes('/extensions/') || optional.some(name => url.includes(`/node_modules/${name}/`))),
    [],
  )
})

test("import 'kolba' loads nothing of bodies, schemas and preconditions, which extensions pay for", async t => {
  const loaded = await loadedBy('kolba')
  t.deepEqual(
    loaded.filter(url => /\/dist\/src\/(?:schema|body|conditional)\//.test(url)),
    [],
  )
})

test("import 'kolba/json' loads no other extension", async t => {
  const loaded = await loadedBy('kolba/json')
  const ours = loaded.filter(url => url.includes('/dist/extensions/')).map(url => url.split('/dist/')[1])
  t.deepEqual(ours, ['extensions/json.js'])
})

test('an app that answers without fetch does not load what Node has for it, which takes 20 ms', async t => {
  const program = `import { once } from 'node:events'
    import http from 'node:http'
    import { kolba } from 'kolba'
    import { cacheControl, cached } from 'kolba/cache'
    import { etag } from 'kolba/etag'
    import { json } from 'kolba/json'
    const app = kolba({ signals: false, logger: { warn() {}, error() {}, info() {}, debug() {} } })
    app.get('/data', cacheControl({ maxAge: 1 }), cached({ ttl: 1 }), etag(), json(), () => ({ a: 1 }))
    app.get('/koa', ctx => { ctx.body = 'in the way of Koa' })
    const server = app.listen(0, '127.0.0.1')
    if (!server.listening) await once(server, 'listening')
    const { port } = server.address()
    const ask = path => new Promise(resolve =>
      http.get({ port, path, agent: false }, res => res.resume().on('end', () => resolve(res.statusCode))))
    // Some versions of Node have loaded it with node:http.
    const loaded = () => process.moduleLoadList.filter(name => name.includes('undici')).length
    const before = loaded()
    console.log(await ask('/data'), await ask('/koa'), await ask('/nowhere'), loaded() - before)
    process.exit()`
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], { cwd: root })
  t.is(stdout, '200 200 404 0\n')
})

/** A file of extensions/, which may have a folder of the same name for its parts; or a folder with an index.ts. */
function extensions(): { name: string; file: string }[] {
  const entries = readdirSync(join(root, 'extensions'))
  const names = [...new Set(entries.map(entry => entry.replace(/\.ts$/, '')))]
  return names.map(name => ({
    name,
    file: entries.includes(`${name}.ts`) ? `extensions/${name}.ts` : `extensions/${name}/index.ts`,
  }))
}

function importsIn(folder: string): Import[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return files
    .filter(name => name.endsWith('.ts'))
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`)
    .flatMap(file => importsOf(file, readFileSync(join(root, file), 'utf8')))
}

function importsOf(file: string, text: string): Import[] {
  const statement = /^[ \t]*(?:import|export)\b\s*(type\b)?(?:[^'";()]*?\bfrom\s*)?\s*['"]([^'"]+)['"]/gm
  const call = /\b(?:import|createRequire\(import\.meta\.url\)|require)\(\s*['"]([^'"]+)['"]\s*\)/g
  const code: string = withoutComments(text)
  const statements = [...code.matchAll(statement)].map(
    ([, type, from = '']): Import => ({ file, from, kind: type ? 'type' : 'static' }),
  )
  const calls = [...code.matchAll(call)].map(([, from = '']): Import => ({ file, from, kind: 'dynamic' }))
  return [...statements, ...calls]
}

/** The file of the repository that a relative import means. */
function resolve(file: string, from: string): string | undefined {
  if (!from.startsWith('.')) return undefined
  return new URL(from, `file:///${file}`).pathname.slice(1)
}

function isInside(folder: string, file: string, from: string): boolean {
  return resolve(file, from)?.startsWith(`${folder}/`) ?? false
}

function isNode(from: string): boolean {
  return from.startsWith('node:')
}

function isPackage(from: string, ...lists: string[][]): boolean {
  return lists.flat().some(name => from === name || from.startsWith(`${name}/`))
}

/** The URLs of all modules that are loaded by an import, in a process that has loaded nothing else. */
async function loadedBy(specifier: string): Promise<string[]> {
  const hooks = `import { writeSync } from 'node:fs'
    export const load = (url, context, next) => { writeSync(1, url + '\\n'); return next(url, context) }`
  const url = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`
  const program = `import { createRequire, register } from 'node:module'
    import { pathToFileURL } from 'node:url'
    register(${JSON.stringify(url(hooks))})
    await import(${JSON.stringify(specifier)})
    for (const path of Object.keys(createRequire(import.meta.url).cache)) console.log(pathToFileURL(path).href)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', '--input-type=module', '-e', program],
    { cwd: root },
  )
  return [...new Set(stdout.trim().split('\n').flatMap(modulesIn))]
}

/** A file of the bundle has several modules, each below a comment with its path. */
function modulesIn(url: string): string[] {
  if (!url.includes('/dist/')) return [url]
  const modules = [...readFileSync(new URL(url), 'utf8').matchAll(/^\/\/ (dist\/\S+\.js)$/gm)]
  return modules.length > 0 ? modules.map(([, path]) => pathToFileURL(join(root, path as string)).href) : [url]
}
