// The line budget: the core has to stay short enough to be read aloud, and an extension small enough to be one idea.
// Prints a table; over 150 lines of code a file is named, over 250 it fails, and so do over 450 in the taught part.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countLines } from './lines.js'

const TAUGHT = ['src/app.ts', 'src/decorator.ts', 'src/fold.ts', 'src/context.ts', 'src/reply.ts']
const LIMITS = { taught: 450, warn: 150, file: 250 }
const root = fileURLToPath(new URL('..', import.meta.url))

const files = ['src', 'extensions'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true })
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter(name => name.endsWith('.ts'))
    .sort(),
)
const rows = files.map(file => ({ file, ...countLines(readFileSync(join(root, file), 'utf8')) }))

const total = chosen => ({
  code: chosen.reduce((sum, { code }) => sum + code, 0),
  comments: chosen.reduce((sum, { comments }) => sum + comments, 0),
})
const taught = total(rows.filter(({ file }) => TAUGHT.includes(file)))

print('file', 'code', 'comments', 'ratio')
for (const folder of ['src', 'extensions']) {
  const inside = rows.filter(({ file }) => file.startsWith(folder))
  for (const row of inside) printRow(row.file, row)
  printRow(`${folder}, all ${inside.length} files`, total(inside))
  console.log()
}
printRow('the taught part', taught)

const long = rows.filter(({ code }) => code > LIMITS.warn && code <= LIMITS.file)
const tooLong = rows.filter(({ code }) => code > LIMITS.file)
for (const { file, code } of long)
  console.log(`${file}: ${code} lines of code. Over ${LIMITS.warn}, think of a second file.`)
for (const { file, code } of tooLong)
  console.log(`${file}: ${code} lines of code. The limit is ${LIMITS.file}. Divide it.`)
if (taught.code > LIMITS.taught)
  console.log(
    `The taught part has ${taught.code} lines of code. The limit is ${LIMITS.taught}. Move what a teacher would skip.`,
  )
if (tooLong.length > 0 || taught.code > LIMITS.taught) process.exitCode = 1

function printRow(name, { code, comments }) {
  print(name, code, comments, (comments / Math.max(code, 1)).toFixed(2))
}

function print(name, ...cells) {
  console.log(name.padEnd(32) + cells.map(cell => String(cell).padStart(9)).join(''))
}
