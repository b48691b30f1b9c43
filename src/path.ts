import { compile, type ParamData, type PathFunction, parse, type Token } from 'path-to-regexp'
import { isCanonical } from './guard.ts'

// The types read a path as @koa/router does: `:name` is one segment or a part of one, `*name` is the rest,
// and what stands in braces may be missing.

/** What ends a name: all that may stand in a path and not in a name. */
type Ends = [...['/', '-', '.', '{', '}', ':', '*', ',', ';', '@', '~', '=', '%', '&', '|', ' '], ...Marks]
type Marks = ["'", '"', '`', '<', '>', '^']
type Name<S extends string, E = Ends> = E extends [infer End extends string, ...infer Rest]
  ? Name<S extends `${infer N}${End}${string}` ? N : S, Rest>
  : S
type Named<S extends string> = S extends `${string}:${infer Rest}` ? Name<Rest> | Named<Rest> : never
type Wild<S extends string> = S extends `${string}*${infer Rest}` ? Name<Rest> | Wild<Rest> : never
type Names<S extends string> = Named<S> | Wild<S>

/** Without the characters after a backslash, which stand for themselves. */
type Unescaped<S extends string> = S extends `${infer Before}\\${string}${infer After}`
  ? `${Before}/${Unescaped<After>}`
  : S
/** Without what stands in braces, from the innermost out. */
type Outside<S extends string> = S extends `${infer Before}}${infer After}` ? Outside<`${Cut<Before>}/${After}`> : S
type Cut<S extends string> = S extends `${infer Before}{${infer Group}`
  ? Group extends `${string}{${string}`
    ? `${Before}{${Cut<Group>}`
    : Before
  : S
type Params<S extends string, Required = Names<Outside<S>>, Optional = Exclude<Names<S>, Required>> = [
  Optional,
] extends [never]
  ? { [K in Required & string]: string }
  : { [K in Required & string]: string } & { [K in Optional & string]?: string }

/** The parameters of a path, all strings: `PathParams<'/books/:id'>` is `{ id: string }`. */
export type PathParams<Path extends string> = string extends Path ? Record<string, string> : Params<Unescaped<Path>>

/** A path read once: what it is made of, and how to fill it. */
export interface Path {
  readonly required: readonly string[]
  readonly optional: readonly string[]
  readonly wild: readonly string[]
  readonly fill: PathFunction<ParamData>
  /** The same for two paths that match the same URLs. */
  readonly shape: string
}

const RENAMED = [
  { old: /\((?!\.\*\))/, advice: 'a pattern in parentheses is gone: check the value in the handler, or with input()' },
  { old: /\?/, advice: 'an optional part stands in braces: write {/:page} for /:page?' },
  { old: /[:}]\w*\+/, advice: 'a repeated part is a wildcard: write /*rest for /:rest+' },
  { old: /[:}]\w*\*$/, advice: 'a repeated part is a wildcard: write {/*rest} for /:rest*' },
  { old: /\*(?![\p{ID_Start}$_"])/u, advice: 'a wildcard has a name: write /*rest for /*' },
]

/** What other frameworks write, and @koa/router reads as text. */
const FOREIGN = [
  { theirs: /<(?:\w+:)?(\w+)>/, ours: ':$1' },
  { theirs: /(?<=\/)\{(\w+)\}(?=\/|$)/, ours: ':$1' },
  { theirs: /\[(\w+)\]/, ours: ':$1' },
]

/**
 * Reads a path in the syntax of @koa/router 15.
 *
 * @throws TypeError that says what is wrong and what to write instead.
 */
export function readPath(where: string, path: string): Path {
  if (typeof path !== 'string') throw new TypeError(`${where}: the path is not a string. Write app.get('/books', ...).`)
  if (!path.startsWith('/') && !path.startsWith('{/')) {
    throw new TypeError(`${where}: a path starts with a slash. Write '/${path.replace(/\*$/, '*rest')}'.`)
  }
  const foreign = FOREIGN.find(({ theirs }) => theirs.test(path))
  if (foreign) {
    const written = path.replace(new RegExp(foreign.theirs, 'g'), foreign.ours)
    throw new TypeError(`${where}: a parameter begins with a colon here. Write '${written}'.`)
  }
  let tokens: Token[]
  try {
    tokens = parse(path).tokens
  } catch (error) {
    const advice = RENAMED.find(({ old }) => old.test(path))?.advice
    const reason = (error as Error).message.split(/[:;] (?:https|visit)/)[0]?.replace(`: ${path}`, '')
    throw new TypeError(`${where}: the path cannot be read: ${advice ?? reason}.`, { cause: error })
  }
  const required = names(tokens.filter(token => token.type !== 'group'))
  const all = names(tokens)
  const twice = all.find((name, index) => all.indexOf(name) !== index)
  if (twice) throw new TypeError(`${where}: the parameter ${twice} stands twice in the path. Rename one.`)
  const wild = names(tokens, 'wildcard')
  const fill = compile(path)
  const example = fill(Object.fromEntries(all.map(name => [name, wild.includes(name) ? ['x'] : 'x'])))
  if (!isTarget(example)) {
    const written = path.replace(/[^\x21-\x7e]+|#|%(?![\da-f]{2})/gi, encodeURIComponent)
    const needless = 'Leave out dot segments, empty segments, queries and needless encoding'
    throw new TypeError(`${where}: no request has such a path. ${written === path ? needless : `Write '${written}'`}.`)
  }
  return {
    required,
    optional: all.filter(name => !required.includes(name)),
    wild,
    fill,
    shape: shape(tokens).replace(/(.)\/$/, '$1'),
  }
}

/** May a request have this path, or does the guard refuse it? */
function isTarget(path: string): boolean {
  if (!/^[\x21\x22\x24-\x3e\x40-\x7e]*$/.test(path)) return false
  try {
    return isCanonical(path, decodeURIComponent(path))
  } catch {
    return false
  }
}

function names(tokens: Token[], type?: Token['type']): string[] {
  return tokens.flatMap(token => {
    if (token.type === 'group') return names(token.tokens, type)
    if (token.type === 'text' || (type && token.type !== type)) return []
    return token.name
  })
}

function shape(tokens: Token[]): string {
  return tokens
    .map(token => {
      if (token.type === 'text') return token.value
      if (token.type === 'group') return `{${shape(token.tokens)}}`
      return token.type === 'param' ? ':' : '*'
    })
    .join('')
}

/** A path under a prefix: `/v1` and `/` are `/v1`. */
export function join(prefix: string, path: string): string {
  return `${prefix.replace(/\/$/, '')}${path === '/' ? '' : path}` || '/'
}

/** How many segments a path has, as written. */
export function depth(path: string): number {
  return path.split('/').length - (path.endsWith('/') ? 2 : 1)
}
