import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.js'

interface Name {
  from: string
  isType: boolean
}

/** What a fragment of a document becomes: a program, in which its lines begin after so many others. */
export interface Dressed {
  text: string
  before: number
  /** It is the inside of a handler, or its author says so: then it is type-checked only. */
  isRun: boolean
}

/**
 * Makes a program of a fragment. In its scope are all exports of kolba and its subpaths, an `app`, what it asks for
 * from the cast, and with `above` all that the program above it has.
 */
export function dress(fragment: string, comment: string, above: string, cast: string): Dressed {
  const asked = /^with:([\s\S]*)/.exec(comment)?.[1]?.split(',') ?? []
  const names = asked.map(name => name.trim()).filter(Boolean)
  const known = { ...namesOf(cast, './cast.ts'), ...exportedNames() }
  for (const name of names) {
    if (name === 'above' || name === 'app' || known[name]) continue
    const offered = Object.keys(namesOf(cast, '')).join(', ')
    throw new Error(`with: there is no ${name}. There are the exports of kolba, app, above, ${offered}.`)
  }
  const program = names.includes('above') ? above : ''
  const imports = fragment.match(/^import\b[^'"]*['"][^'"]+['"];?$/gm) ?? []
  const taken = new Set(declared(`${program}\n${imports.join('\n')}`))
  const wanted = Object.entries(known).filter(([name, { from }]) => {
    if (taken.has(name) || (from === './cast.ts' && !names.includes(name))) return false
    return name === 'kolba' || new RegExp(`\\b${name}\\b`).test(fragment)
  })
  const lines = [
    ...wanted.map(([name, { from, isType }]) => `import { ${isType ? 'type ' : ''}${name} } from '${from}'`),
    ...imports,
    ...program.split('\n'),
    ...(taken.has('app') ? [] : ['const app = kolba()']),
    'async function fragment() {',
  ]
  const body = fragment.replace(/^import\b[^'"]*['"][^'"]+['"];?$/gm, text => text.replace(/[^\n]/g, ' '))
  const text = [...lines, body, '}', 'await fragment()', "process.send?.('done')", ''].join('\n')
  const isRun = !names.some(name => name === 'ctx' || name === 'next') && !comment.startsWith('not run')
  return { text, before: lines.join('\n').split('\n').length, isRun }
}

/** The exports of kolba and of each of its subpaths, by what the compiler has written of them. */
function exportedNames(): Record<string, Name> {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const subpaths = Object.entries(exports as Record<string, { types?: string }>)
  const all = subpaths.map(([subpath, { types }]) =>
    types ? namesOf(readFileSync(join(root, types), 'utf8'), subpath.replace('.', 'kolba')) : {},
  )
  return Object.assign({}, ...all.reverse())
}

function namesOf(text: string, from: string): Record<string, Name> {
  const names: Record<string, Name> = {}
  for (const [, type, list = ''] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const item of list.split(',').filter(it => it.trim() !== '')) {
      const name = item.trim().split(/\s+/).at(-1) as string
      names[name] = { from, isType: type !== undefined || /^\s*type\s/.test(item) }
    }
  }
  const declarations = /^export (?:declare )?(?:abstract )?(?:async )?(class|function|const|let|interface|type) (\w+)/gm
  for (const [, kind = '', name = ''] of text.matchAll(declarations))
    names[name] = { from, isType: kind === 'interface' || kind === 'type' }
  return names
}

/** The names that stand at the top of a module. */
function declared(text: string): string[] {
  const own = [...text.matchAll(/^(?:export )?(?:async )?(?:const|let|class|function|interface|type) (\w+)/gm)]
  const imported = [...text.matchAll(/^import\b([^'"]*)from/gm)].flatMap(([, list = '']) =>
    list.split(/[{},]/).map(item => item.trim().split(/\s+/).at(-1) as string),
  )
  return [...own.map(match => match[1] as string), ...imported]
}
