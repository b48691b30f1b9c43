// Holds what is in the package: what `tsc` and then esbuild make of src and extensions, and the papers.
import { execFileSync } from 'node:child_process'

const listed = execFileSync('tar', ['-tzf', process.argv[2]], { encoding: 'utf8' }).trim().split('\n')
const files = listed.map(name => name.replace('package/', ''))
const papers = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']
const others = files.filter(
  name => !papers.includes(name) && !/^dist\/(?:(?:src|extensions)\/.+\.d\.ts|.+\.js)$/.test(name),
)
const missing = papers.filter(name => !files.includes(name))
for (const name of others) console.log(`${name} is no part of the package. Look at "files" in package.json.`)
for (const name of missing) console.log(`${name} is not in the package.`)
process.exitCode = others.length + missing.length > 0 ? 1 : 0
