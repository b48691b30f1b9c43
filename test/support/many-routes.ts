/** A module with so many routes, with parameters and none to four decorators, as the text of a TypeScript file. */
export function manyRoutes(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => route(index))
  return [...HEAD, ...lines, ''].join('\n')
}

const HEAD = [
  "import { decorator, kolba, type Next, stack } from 'kolba'",
  "import { body } from 'kolba/body'",
  "import { json } from 'kolba/json'",
  'export const app = kolba()',
  "const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: { name: string } }>) => next({ user: { name: '' } }))",
  "const named = decorator('named', (ctx: { user: { name: string } }, next: Next) => ctx.user.name && next())",
  'const read = stack(json(), signedIn)',
]

/** Each path is another, so that the compiler can reuse nothing of it. */
const PATHS = ['/a', '/b/:id', '/c/:id/parts/:part', '/d/:from..:to', '/e{/:page}/:id', '/f/:id/*rest']
const STACKS = [
  { decorators: '', value: '[ctx.path, ctx.params]' },
  { decorators: 'json(), ', value: 'ctx.params' },
  { decorators: 'signedIn, json(), ', value: '({ ...ctx.params, user: ctx.user })' },
  { decorators: 'signedIn, body(), json(), ', value: '[ctx.user.name, ctx.input.body, ctx.params]' },
  { decorators: 'read, named, body(), json(), ', value: '[ctx.user.name, ctx.input.body, ctx.params]' },
]
const VERBS = ['get', 'post', 'put']

function route(index: number): string {
  const { decorators, value } = pick(STACKS, index)
  return `app.${pick(VERBS, index)}('/r${index}${pick(PATHS, index)}', ${decorators}ctx => ${value})`
}

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T
}
