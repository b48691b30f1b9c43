import test from 'ava'
import { blocksOf, commandsOf, isProgram, matches, programsOf } from './documents.js'

const document = [
  '```ts',
  '// file: main.ts',
  "import { kolba } from 'kolba'",
  '```',
  '',
  '<!-- with: books -->',
  '',
  '```ts',
  'books.size',
  '```',
  '```console',
  '$ curl localhost:3000 \\',
  '  -i',
  'HTTP/1.1 200 OK',
  '$ npm start',
  '```',
].join('\n')

test('matches() takes ... for anything in a line, and alone for any number of lines', t => {
  t.true(matches(['a...c', '...', 'z'], 'abc\r\n1\n\nz \n\n'))
  t.true(matches(['a', '...'], 'a'))
  t.true(matches(['...', 'b'], 'b'))
  t.true(matches([], ''))
})

test('matches() refuses other lines, lines that are missing and lines too many', t => {
  t.false(matches(['a.c'], 'abc'))
  t.false(matches(['a', 'b'], 'a'))
  t.false(matches(['a'], 'a\nb'))
  t.false(matches([], 'a'))
})

test('blocksOf() finds the blocks with their lines, names and comments', t => {
  const blocks = blocksOf('x.md', document)
  t.deepEqual(
    blocks.map(({ line, language, file, comment }) => [line, language, file, comment]),
    [
      [2, 'ts', 'main.ts', ''],
      [9, 'ts', 'app.ts', 'with: books'],
      [12, 'console', 'app.console', ''],
    ],
  )
  t.deepEqual(blocks.map(isProgram), [true, false, false])
  t.throws(() => blocksOf('x.md', '```ts\n1'), { message: 'x.md:1: the block is never closed. Add ```.' })
})

test('programsOf() gives a program the commands below it', t => {
  const [program] = programsOf(blocksOf('x.md', document))
  t.deepEqual(program?.commands, [
    { line: 12, text: 'curl localhost:3000 \\\n  -i', expected: ['HTTP/1.1 200 OK'] },
    { line: 15, text: 'npm start', expected: [] },
  ])
})

test('commandsOf() refuses a block that begins with no command', t => {
  const [block] = blocksOf('x.md', '```console\nHello\n```')
  t.throws(() => commandsOf(block as never), {
    message: 'x.md:2: a console block begins with a command, "$ curl ...".',
  })
})
