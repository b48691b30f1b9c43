import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.js'

/** A fenced block of a document. */
export interface Block {
  document: string
  /** The line of its first line of text, from 1. */
  line: number
  language: string
  text: string
  /** What the HTML comment just above the fence says, `with: app, books`. */
  comment: string
  /** The file that it is, by its first line `// file: app.ts`. */
  file: string
}

/** A whole program and the commands shown below it. */
export interface Documented extends Block {
  commands: Command[]
}

export interface Command {
  line: number
  /** Without the dollar sign. */
  text: string
  expected: string[]
}

const FENCE = /^(`{3,})([\w-]*)\s*$/

/** README.md, CONTRIBUTING.md and everything in docs/, as far as they exist. */
export function documents(): string[] {
  const guides = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')).map(name => `docs/${name}`) : []
  const all = ['README.md', 'CONTRIBUTING.md', ...guides.sort()]
  return all.filter(name => name.endsWith('.md') && existsSync(join(root, name)))
}

export function blocksOf(document: string, text = readFileSync(join(root, document), 'utf8')): Block[] {
  const blocks: Block[] = []
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index += 1) {
    const [, fence, language = ''] = FENCE.exec(lines[index] as string) ?? []
    if (!fence) continue
    const end = lines.indexOf(fence, index + 1)
    if (end < 0) throw new Error(`${document}:${index + 1}: the block is never closed. Add ${fence}.`)
    const body = lines.slice(index + 1, end)
    const file = /^\/\/ file: (\S+)/.exec(body[0] ?? '')?.[1] ?? `app.${language}`
    blocks.push({
      document,
      line: index + 2,
      language,
      text: body.join('\n'),
      comment: commentAbove(lines, index),
      file,
    })
    index = end
  }
  return blocks
}

/** A whole program has an import; with a comment `<!-- with: ... -->` it is a fragment all the same. */
export function isProgram({ language, text, comment }: Block): boolean {
  return language === 'js' || (language === 'ts' && /^import\b/m.test(text) && !comment.startsWith('with:'))
}

export function isFragment(block: Block): boolean {
  return block.language === 'ts' && !isProgram(block)
}

/** The programs of a document, each with the commands of the console blocks between it and the next. */
export function programsOf(blocks: readonly Block[]): Documented[] {
  const programs: Documented[] = []
  for (const block of blocks) {
    if (isProgram(block)) programs.push({ ...block, commands: [] })
    if (block.language === 'console') programs.at(-1)?.commands.push(...commandsOf(block))
  }
  return programs
}

/** The lines that begin with `$ `, each with the lines that it prints; a backslash goes on in the next line. */
export function commandsOf({ document, line, language, text }: Block): Command[] {
  const commands: Command[] = []
  let open = false
  text.split('\n').forEach((row, index) => {
    const last = commands.at(-1)
    if (open && last) last.text += `\n${row}`
    else if (row.startsWith('$ ')) commands.push({ line: line + index, text: row.slice(2), expected: [] })
    else if (language === 'sh') commands.push({ line: line + index, text: row, expected: [] })
    else if (last) last.expected.push(row)
    else throw new Error(`${document}:${line + index}: a console block begins with a command, "$ curl ...".`)
    open = row.endsWith('\\') && (open || row.startsWith('$ ') || language === 'sh')
  })
  return commands
}

/** Is that what was printed? `...` stands for anything in its line, and for any number of lines where it is alone. */
export function matches(expected: readonly string[], printed: string): boolean {
  const lines = trimmed(expected.join('\n')).split('\n')
  const patterns = lines.map(line => {
    if (line === '...') return '(?:.*\\n)*?'
    return `${line.split('...').map(escapeRegExp).join('.*')}\\n`
  })
  return new RegExp(`^${patterns.join('')}$`).test(`${trimmed(printed)}\n`)
}

function trimmed(text: string): string {
  return text
    .replaceAll('\r', '')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n+$/, '')
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** The text of an HTML comment that ends on the last line above that has anything. */
function commentAbove(lines: readonly string[], fence: number): string {
  const above = lines.slice(0, fence).join('\n').trimEnd()
  return /<!--((?:(?!-->)[\s\S])*)-->$/.exec(above)?.[1]?.trim() ?? ''
}
