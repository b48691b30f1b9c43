// What is published: a file for each subpath, and those that several of them share, in the place of the 300 that `tsc` has
// made. Node takes some 0.3 ms to find, read and compile a file, so an app with ten extensions starts a third sooner. The
// declarations stay as they are, and so do the names in the code.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const subpaths = Object.values(exports).flatMap(it => it.default ?? [])

await build({
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  // Threads of jobs begin in a file of their own, and tests look into some that are given here.
  entryPoints: [...subpaths, 'dist/extensions/jobs/thread/inside.js', ...process.argv.slice(2)],
  outbase: 'dist',
  outdir: 'dist',
  allowOverwrite: true,
  chunkNames: 'shared/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
})
