// Random tables of routes, and paths to ask them for: made of few and odd parts, so that routes overlap and paths nearly
// fit. A seed makes the same table on each machine.
import { METHODS } from 'node:http'
import { parse, type Token } from 'path-to-regexp'

export type Random = (below: number) => number

/** Numbers from 0 up to a bound, the same for a seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = (seed * 0x9e3779b9) >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T
}

const PLAIN = ['a', 'b', 'ab', 'A', 'new', 'a.b', 'a-b']
const ODD = [
  ['', '.well-known', '..', '...', '~', 'a;b', 'a,b=c', 'caf%C3%A9', 'caf%c3%a9', 'a%20b', '%2F', '%2f', '%61', 'é'],
  ['😀', '\ud800', 'a\nb', '$', '^a', 'a|b', '\\\\', '\\:a', '\\*', '\\{a\\}', '\\(', '__proto__', 'constructor'],
  ['x'.repeat(300), '0', ' ', '@', '%', '%ZZ', '%E0%A4', '&', '"'],
].flat()

/** Segments with parameters and what stands beside them; # is a new name. */
const SHAPES = [
  [':#', ':#', ':#', ':#', ':#.json', ':#-:#', ':#.:#', 'a:#', ':#a', 'v:#.:#', ':#..:#', ':#%20', '@:#', ':#:#'],
  ['*#', 'a*#', '*#.html', '*#-:#', ':#-*#', ':#*#', '*#*#'],
  ['{:#}', 'a{:#}', 'a{b}', '{a}b', '{a}{b}', ':#{.:#}', '{:#-}:#', 'a{*#}', '{a-{b-}}c'],
].flat()
/** Groups that begin with the slash. */
const GROUPS = ['{/:#}', '{/a}', '{/:#}{/:#}', '{/a}{/:#}', '{/:#{/:#}}', '{/*#}', '{/a/:#}', '{/}', '{/:#/}']
const NAMES = ['id', 'b', 'c', '__proto__', 'constructor', '"a b"', 'é', '$', '_', 'x1', 'y2', 'z3', 'u4', 'v5', 'w6']

/** A path for a router: most are short and plain. */
export function randomRoute(random: Random): string {
  let names = random(3)
  const path = Array.from({ length: random(4) + (random(8) > 0 ? 1 : 0) }, () => randomPart(random)).join('')
  const end = random(5) === 0 ? '/' : ''
  const begin = random(30) === 0 ? pick(random, ['//', '', '{/a}', '{x}']) : ''
  return `${begin}${path}${end}`.replace(/#/g, () => NAMES[names++ % NAMES.length] as string) || '/'
}

function randomPart(random: Random): string {
  const die = random(20)
  if (die < 8) return `/${pick(random, PLAIN)}`
  if (die < 10) return `/${pick(random, ODD)}`
  if (die < 13) return '/:#'
  if (die < 17) return `/${pick(random, SHAPES)}`
  return pick(random, GROUPS)
}

const REGULAR = [/^\/a/, /^\/(a|b)\/([^/]+)$/, /b\/?$/i, /^$/, /^[^/]/]

/** A path that is a regular expression, now and then. */
export function randomPattern(random: Random): RegExp | undefined {
  return random(40) === 0 ? pick(random, REGULAR) : undefined
}

const USUAL = ['GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'QUERY']
const ALL = METHODS.filter(method => method !== 'CONNECT')

export function randomMethods(random: Random): string[] {
  const die = random(10)
  if (die === 0) return ALL
  return Array.from({ length: die < 8 ? 1 : 1 + random(3) }, () => pick(random, USUAL))
}

export function randomMethod(random: Random): string {
  return random(12) === 0 ? pick(random, ['get', 'head', 'Post', 'PROPFIND', 'NONE', '']) : pick(random, USUAL)
}

const VALUES = [
  ['a', 'b', 'ab', 'A', 'new', 'a.b', 'a-b', '1', '7919', '1.json', 'x-y', '-', '.', '..', '...', '%2e%2E', '%2F'],
  [
    '%2f',
    'a%2Fb',
    '%E2%82%AC',
    '%',
    '%ZZ',
    '%E0%A4',
    '%00',
    ';',
    'a;b=c',
    'é',
    '😀',
    '\udc00',
    '\n',
    'a\\b',
    ' ',
    '',
    '/',
  ],
  ['a/b', 'a/', '/a', '//', '__proto__', '{a}', ':id', '*', 'y'.repeat(500), 'a%20b', '+', '?', '#', 'caf%C3%A9'],
].flat()
const WHOLE = ['/', '', '*', '//', '///', 'a', '/.', '/..', '/a//b', '/%', '/%2F', '?', ' /a', `/${'z'.repeat(8000)}`]
const LONG = ['/a'.repeat(2000), '/'.repeat(4000), `/a/${'b/'.repeat(500)}`]

/** A path to ask for: most are those of a route, filled, and many of these a little changed. */
export function randomPath(random: Random, routes: readonly string[]): string {
  const die = random(30)
  if (die === 0) return pick(random, WHOLE)
  if (die === 1) return random(10) === 0 ? pick(random, LONG) : `/${pick(random, VALUES)}/${pick(random, VALUES)}`
  const path = fill(random, parse(pick(random, routes)).tokens)
  return random(3) === 0 ? pick(random, CHANGES)(path, random) : path
}

function fill(random: Random, tokens: readonly Token[]): string {
  return tokens
    .map(token => {
      if (token.type === 'text') return token.value
      if (token.type === 'group') return random(2) === 0 ? '' : fill(random, token.tokens)
      const value = () => pick(random, random(3) === 0 ? VALUES : PLAIN)
      return token.type === 'wildcard' && random(2) === 0 ? `${value()}/${value()}` : value()
    })
    .join('')
}

const CHANGES: ((path: string, random: Random) => string)[] = [
  path => `${path}/`,
  path => `${path}/`,
  path => `${path}//`,
  path => `/${path}`,
  path => path.slice(1),
  path => path.slice(0, -1),
  path => path.toUpperCase(),
  path => path.replace('/', '//'),
  path => path.replace(/\/[^/]*$/, ''),
  path => path.replace('a', '%61'),
  path => encodeURI(path.toWellFormed?.() ?? 'a'),
  (path, random) => `${path}/${pick(random, VALUES)}`,
  (path, random) => path.replace(/[^/]+/, pick(random, VALUES).replaceAll('$', '$$$$')),
  (path, random) => path.slice(0, random(path.length + 1)) + pick(random, VALUES) + path.slice(random(path.length + 1)),
]
