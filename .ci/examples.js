// Starts every example as it is, on a Node that strips types, and asks for a page. Those with `@` need a compiler.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram } from '../build/test/support/program.js'

// What the to-do list verifies tokens with.
process.env.SECRET ??= randomBytes(32).toString('hex')

const folder = fileURLToPath(new URL('../examples', import.meta.url))
const files = readdirSync(folder, { recursive: true }).filter(name => name.endsWith('.ts'))

for (const file of files.sort()) {
  const text = readFileSync(join(folder, file), 'utf8')
  if (/^\s*@\w/m.test(text) || !text.includes('.listen(')) continue
  const program = await startProgram(join(folder, file))
  try {
    if (program.code !== undefined) throw new Error(`It ended with ${program.code}:\n${program.printed()}`)
    const response = await fetch(program.real('http://localhost:3000/'))
    if (response.status >= 500) throw new Error(`GET / is ${response.status}:\n${program.printed()}`)
    console.log(`${file}: GET / is ${response.status}`)
  } catch (error) {
    console.log(`${file}: ${error.message}`)
    process.exitCode = 1
  } finally {
    await program.stop()
  }
}
