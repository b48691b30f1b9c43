import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { compile, compilerVersion, root } from './support/compile.ts'
import { manyRoutes } from './support/many-routes.ts'

// test/types is compiled and not run. A line there that must not compile says so: `// error: a part of the message`.
// Where only one compiler or mode says it like that, it is named: `// error 5: ...`, `// error legacy: ...`.

const folder = 'test/types'
const major = compilerVersion.split('.')[0] as string

for (const [mode, project] of [
  ['standard', 'tsconfig.json'],
  ['legacy', 'tsconfig.legacy.json'],
] as const) {
  test(`TypeScript ${compilerVersion} finds the errors that test/types expects, with ${mode} decorators`, async t => {
    const found = diagnostics(await compile(`${folder}/${project}`))
    const expected = expectations([major, mode])
    const missing = expected.filter(it => !found.some(at => at.place === it.place && at.message.includes(it.message)))
    const surplus = found.filter(it => !expected.some(at => at.place === it.place))
    t.deepEqual({ missing: missing.map(show), surplus: surplus.map(show) }, { missing: [], surplus: [] })
    t.true(expected.length > 100)
  })
}

test(`TypeScript ${compilerVersion} checks 200 routes at a cost that grows with their number alone`, async t => {
  const few = await cost(t, 20)
  const many = await cost(t, 200)
  const each = (many.instantiations - few.instantiations) / 180
  t.log(`${many.instantiations} instantiations, ${Math.round(each)} for a route, checked in ${many.seconds} s`)
  // The time is the machine's, the count is the types' own, and the same each time.
  t.true(each < 500, `${each} instantiations for a route`)
})

interface Said {
  /** `test/types/paths.ts:7` */
  readonly place: string
  readonly message: string
}

/** What the compiler prints: a line for each error, and more lines, indented, for the reasons. */
function diagnostics(output: string): Said[] {
  const found: Said[] = []
  for (const line of output.split(/\r?\n/).filter(line => line !== '')) {
    const [, file, number, message] = /^(.+)\((\d+),\d+\): error TS\d+: (.*)$/.exec(line) ?? []
    const last = found.at(-1)
    if (message !== undefined) found.push({ place: `${file}:${number}`, message })
    else if (last && line.startsWith(' ')) found.push({ ...last, message: `${found.pop()?.message}\n${line}` })
    else found.push({ place: 'the compiler', message: line })
  }
  return found
}

function expectations(tags: readonly string[]): Said[] {
  return readdirSync(join(root, folder))
    .filter(name => name.endsWith('.ts'))
    .flatMap(name => {
      const lines = readFileSync(join(root, folder, name), 'utf8').split(/\r?\n/)
      return lines.flatMap((line, index) =>
        [...line.matchAll(/\/\/ error(?: (\w+))?: (.*?)(?= \/\/ error|$)/g)]
          .filter(([, tag]) => tag === undefined || tags.includes(tag))
          .map(([, , message]) => ({ place: `${folder}/${name}:${index + 1}`, message: message as string })),
      )
    })
}

function show({ place, message }: Said): string {
  return `${place}: ${message}`
}

/** Checks a module with so many routes, which stands in the build folder so that it finds the package by its name. */
async function cost(t: { is(actual: unknown, expected: unknown): void }, count: number) {
  const name = `build/many-routes/${count}`
  mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, name, 'routes.ts'), manyRoutes(count))
  const options = { extends: '../../../tsconfig.json', compilerOptions: { rootDir: '.' }, include: ['.'] }
  writeFileSync(join(root, name, 'tsconfig.json'), JSON.stringify(options))
  const output = await compile(name, '--extendedDiagnostics')
  t.is(/^.*error TS.*$/m.exec(output)?.[0], undefined)
  return {
    instantiations: Number(/^Instantiations:\s+(\d+)/m.exec(output)?.[1]),
    seconds: Number(/^Check time:\s+([\d.]+)s/m.exec(output)?.[1]),
  }
}
