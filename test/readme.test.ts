// Every block of code in the documents is run. How a document says what it means is in CONTRIBUTING.md.
import { execFile, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import {
  type Block,
  blocksOf,
  type Command,
  commandsOf,
  type Documented,
  documents,
  isFragment,
  isProgram,
  matches,
  programsOf,
} from './support/documents.js'
import { type Dressed, dress } from './support/fragment.js'
import { type Program, startProgram } from './support/program.js'
import { root } from './support/root.js'

/** Languages that are shown and not run. `sh` has commands without what they print. */
const SHOWN = ['json', 'text', 'http', 'html', 'diff']
const folder = join(root, 'build/readme')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const hasCurl = spawnSync('curl', ['--version']).status === 0
const requiresCurl = process.env.KOLBA_REQUIRE?.split(',').includes('curl')
const complaints: { file: string; line: number; code: string; text: string }[] = []

rmSync(folder, { recursive: true, force: true })
const cast = readFileSync(join(root, 'test/support/cast.ts'), 'utf8')

for (const document of documents()) {
  const blocks = blocksOf(document)
  const programs = programsOf(blocks)
  const titles = blocks.filter(({ language }) => !['ts', 'js', 'console', 'sh', ...SHOWN].includes(language))
  for (const { line, language } of titles) {
    test(`${document}:${line}: the block has a language that is known`, t => {
      t.fail(`"${language}" is none of ts, js, console, sh, ${SHOWN.join(', ')}. Write one of them after the fence.`)
    })
  }
  for (const program of programs) defineProgram(program, programs)
  for (const block of blocks.filter(isFragment)) defineFragment(block, programs)
  for (const block of blocks.filter(({ language }) => ['console', 'sh'].includes(language)))
    defineCommands(block, blocks)
}
typeCheck()

function defineProgram(program: Documented, programs: readonly Documented[]): void {
  const { document, line, text, file, language, commands } = program
  const path = write(program, file, text)
  if (/from '\.\//.test(text)) writeSiblings(program, programs)
  const curls = commands.filter(({ text }) => isCurl(text))
  const title = `${document}:${line}: ${file} runs`

  const runs = async (t: ExecutionContext, check: boolean) => {
    t.deepEqual(complaintsAt(path, line, 0), [])
    const node = commands.find(({ text }) => /^(?:\w+=\S+ )*node /.test(text))
    const stripped =
      language === 'ts' && 'typescript' in process.features && process.features.typescript && !/^\s*@\w/m.test(text)
    const running = await startProgram(join(folder, stripped ? path : compiled(path)), { env: environment(node?.text) })
    try {
      t.true(running.code === undefined || running.code === 0, `It ended with ${running.code}:\n${running.printed()}`)
      if (node?.expected.length) compare(t, document, node, running.printed())
      if (check) for (const curl of curls) compare(t, document, curl, await shell(curl.text, running))
    } finally {
      await running.stop()
    }
  }
  const answers = `${title} and answers the ${curls.length} curl lines below it`
  if (curls.length === 0) test.serial(title, t => runs(t, false))
  else if (hasCurl || requiresCurl) test.serial(answers, t => runs(t, true))
  else {
    test.serial(title, t => runs(t, false))
    test.skip(`${answers} (skipped: there is no curl on this machine)`, t => runs(t, true))
  }
}

function defineFragment(block: Block, programs: readonly Documented[]): void {
  const { document, line, text, comment } = block
  const above = programs.filter(program => program.line < line).at(-1)?.text ?? ''
  let dressed: Dressed | Error
  try {
    dressed = dress(text, comment, above, cast)
  } catch (error) {
    dressed = error as Error
  }
  if (dressed instanceof Error) {
    const { message } = dressed
    test(`${document}:${line}: the fragment names what there is`, t => t.fail(message))
    return
  }
  const { before, isRun } = dressed
  const path = write(block, 'fragment.ts', dressed.text)
  if (/from '\.\/(?!cast)/.test(dressed.text)) writeSiblings({ ...block, file: 'fragment.ts' }, programs)
  copyFileSync(join(root, 'test/support/cast.ts'), join(folder, dirname(path), 'cast.ts'))
  test.serial(`${document}:${line}: the fragment ${isRun ? 'runs' : 'compiles'}`, async t => {
    // Names that nothing uses are natural in a fragment.
    const found = complaintsAt(path, line, before, ['TS6133', 'TS6192', 'TS6196', 'TS6198'])
    t.deepEqual(found, [])
    if (!isRun) return
    const running = await startProgram(join(folder, compiled(path)), { untilDone: true })
    const { code } = running
    await running.stop()
    t.true(code === undefined || code === 0, `It ended with ${code}:\n${running.printed()}`)
  })
}

function defineCommands(block: Block, blocks: readonly Block[]): void {
  const { document, line } = block
  const programs = blocks.filter(isProgram)
  test(`${document}:${line}: the commands exist`, t => {
    for (const { text, line } of commandsOf(block)) {
      const wrong = wrongCommand(text, programs)
      t.is(wrong, undefined, `${document}:${line}: ${text}: ${wrong}`)
      if (isCurl(text))
        t.true(
          programs.some(program => program.line < line),
          `${document}:${line}: no program is above.`,
        )
    }
  })
}

/** Puts a file into the folder of a block. */
function write({ document, line }: Block, file: string, text: string): string {
  const path = join(document.replace(/\W/g, '-'), String(line), file)
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), `${text}\n`)
  if (file.endsWith('.js')) {
    mkdirSync(dirname(join(folder, compiled(path))), { recursive: true })
    writeFileSync(join(folder, compiled(path)), `${text}\n`)
  }
  return path
}

/** Named files above a block are there for its imports; where a name repeats, the nearest above counts. */
function writeSiblings(block: Block, programs: readonly Block[]): void {
  for (const { line, file, text } of programs) {
    if (line < block.line && file !== block.file && text.startsWith('// file: ')) write(block, file, text)
  }
}

function compiled(path: string): string {
  return join('out', path.replace(/\.ts$/, '.js'))
}

/** Compiles all blocks at once, because that is quick, and keeps what the compiler says for the test of each. */
function typeCheck(): void {
  const compilerOptions = { rootDir: '.', outDir: 'out', declaration: false }
  mkdirSync(folder, { recursive: true })
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['**/*.ts'], exclude: ['out'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false']
  const { stdout } = spawnSync(process.execPath, tsc, { cwd: folder, encoding: 'utf8' })
  for (const [, file = '', line, code = '', text = ''] of stdout.matchAll(
    /^(.+?)\((\d+),\d+\): error (TS\d+): (.*(?:\n .*)*)/gm,
  ))
    complaints.push({ file: join(file), line: Number(line), code, text })
  const whole = /^error .*/m.exec(stdout)
  if (whole && existsSync(folder)) test('the documents compile', t => t.fail(whole[0]))
}

function complaintsAt(path: string, line: number, before: number, allowed: string[] = []): string[] {
  const found = complaints.filter(({ file, code }) => file === path && !allowed.includes(code))
  const place = (inFile: number) => (inFile > before ? `line ${line + inFile - before - 1}` : 'what it is dressed in')
  return found.map(it => `${place(it.line)}: ${it.code}: ${it.text}`)
}

function compare(t: ExecutionContext, document: string, { line, text, expected }: Command, printed: string): void {
  t.true(
    matches(expected, printed),
    `${document}:${line}: $ ${text}\nprinted\n${printed}\ninstead of\n${expected.join('\n')}`,
  )
}

/** Runs a command on the real port, and gives what it prints with the port that the document says. */
async function shell(command: string, running: Program): Promise<string> {
  const env = { ...process.env, CURL_HOME: folder, NO_PROXY: '*' }
  const options = { env, timeout: 20_000, cwd: folder }
  const { stdout } = await promisify(execFile)('sh', ['-c', running.real(command)], options)
  return running.written(stdout)
}

function isCurl(command: string): boolean {
  return /^curl\s/.test(command)
}

/** `SECRET=x node app.ts` */
function environment(command = ''): Record<string, string> {
  const pairs = /^(?:\w+=\S+ )*/.exec(command)?.[0].trim().split(' ').filter(Boolean) ?? []
  return Object.fromEntries(pairs.map(pair => pair.split('=', 2) as [string, string]))
}

function wrongCommand(command: string, programs: readonly Block[]): string | undefined {
  const [tool = '', word = '', script = ''] = command.replace(/^(?:\w+=\S+ )+/, '').split(/\s+/)
  const hasScript = (name: string) => Object.hasOwn(manifest.scripts, name)
  if (['curl', 'git', 'cd', 'mkdir'].includes(tool)) return
  if (tool === 'npm') {
    if (['install', 'ci', 'init', 'pack', 'pkg'].includes(word)) return
    const name = word === 'run' ? script : word
    return (word === 'run' || ['start', 'test'].includes(word)) && hasScript(name)
      ? undefined
      : `package.json has no script ${name}.`
  }
  if (tool === 'npx')
    return existsSync(join(root, 'node_modules/.bin', word)) ? undefined : `npx does not find ${word}.`
  if (tool === 'node') {
    const exists = programs.some(({ file }) => file === word.replace(/\.js$/, '.ts')) || existsSync(join(root, word))
    return exists ? undefined : `there is no ${word}.`
  }
  return 'the commands that are known are curl, npm, npx, node, git, cd and mkdir.'
}
