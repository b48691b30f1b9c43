// A project with nothing in it but the package, as someone has it who follows the README.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOf, matches, programsOf } from '../build/test/support/documents.js'
import { startProgram } from '../build/test/support/program.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const [task, folder, tarball] = process.argv.slice(2)
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const subpaths = Object.keys(manifest.exports).filter(key => key !== './package.json')
const specifiers = subpaths.map(key => key.replace('.', manifest.name))
const blocks = blocksOf('README.md')
const [first, classes] = programsOf(blocks)
const { compilerOptions } = JSON.parse(blocks.find(({ language }) => language === 'json').text)

const tasks = {
  install() {
    write('package.json', JSON.stringify({ private: true, type: 'module' }))
    execFileSync('npm', ['install', '--loglevel=error', tarball], { cwd: folder, stdio: 'inherit' })
    write('app.ts', first.text)
    write('classes.ts', classes.text)
    // Programs of several files, which import each other.
    for (const { file, text } of programsOf(blocksOf('docs/auth.md'))) write(file, text)
    write('every.ts', specifiers.map((specifier, index) => `export * as a${index} from '${specifier}'`).join('\n'))
    write('plain/app.js', first.text)
    // That of the README, and stricter.
    const options = { ...compilerOptions, verbatimModuleSyntax: true, skipLibCheck: false, outDir: 'out', rootDir: '.' }
    write('tsconfig.json', JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
  },
  async compiled() {
    const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      stdio: 'inherit',
    })
    if (status !== 0) throw new Error('It does not compile.')
    await answers('out/app.js', first)
    await answers('out/classes.js', classes)
  },
  stripped: () => answers('app.ts', first),
  javascript: () => answers('plain/app.js', first),
  /** Each one either works, or says which optional package to install. */
  subpaths() {
    const optional = Object.keys(manifest.peerDependencies ?? {})
    for (const specifier of specifiers) {
      const program = `await import('${specifier}').catch(error => { console.log(error.message); process.exit(1) })`
      const options = { cwd: folder, encoding: 'utf8' }
      const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], options)
      const said = (stdout + stderr).trim()
      const isTold = optional.some(name => new RegExp(`npm install (?:--save-dev )?.*${name}\\b`).test(said))
      console.log(`${specifier}: ${status === 0 ? 'works' : said}`)
      if (status !== 0 && !isTold) process.exitCode = 1
    }
  },
}

await tasks[task]()

/** Starts a file of the project, and runs the curl lines that the README has below it. */
async function answers(file, { commands }) {
  const program = await startProgram(join(folder, file))
  try {
    if (program.code !== undefined) throw new Error(`It ended with ${program.code}:\n${program.printed()}`)
    const curls = commands.filter(({ text }) => text.startsWith('curl '))
    if (spawnSync('curl', ['--version']).status !== 0) return console.log('It listens. There is no curl to ask with.')
    for (const { text, expected } of curls) {
      const { stdout } = spawnSync('sh', ['-c', program.real(text)], { encoding: 'utf8' })
      const printed = program.written(stdout)
      console.log(`$ ${text}\n${printed}`)
      if (!matches(expected, printed)) throw new Error(`The README says:\n${expected.join('\n')}`)
    }
  } finally {
    await program.stop()
  }
}

function write(file, text) {
  mkdirSync(join(folder, file, '..'), { recursive: true })
  writeFileSync(join(folder, file), `${text}\n`)
}
