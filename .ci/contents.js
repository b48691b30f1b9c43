// Holds what is in the package: what `tsc` and then esbuild make of src and extensions, the papers, and the guides, which
// the README links to. Decisions are for those who change the code.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const listed = execFileSync('tar', ['-tzf', process.argv[2]], { encoding: 'utf8' }).trim().split('\n')
const files = listed.map(name => name.replace('package/', ''))
const papers = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']
const guides = [...readFileSync('README.md', 'utf8').matchAll(/\]\((docs\/[\w-]+\.md)\)/g)].map(([, name]) => name)
const wanted = [...papers, ...guides]
const others = files.filter(
  name => !wanted.includes(name) && !/^dist\/(?:(?:src|extensions)\/.+\.d\.ts|.+\.js)$/.test(name),
)
const missing = wanted.filter(name => !files.includes(name))
for (const name of others) console.log(`${name} is no part of the package. Look at "files" in package.json.`)
for (const name of missing) console.log(`${name} is not in the package.`)
process.exitCode = others.length + missing.length > 0 ? 1 : 0
