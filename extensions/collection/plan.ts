import { type AroundContext, type Awaitable, type Kolba, problem, type Route, when } from '../../src/index.ts'
import { appKeys, type Cursors, cursorsOf } from './cursor.ts'
import { keeping } from './kept.ts'
import type { Walk } from './moves.ts'
import { type Settings, settingsOf } from './options.ts'
import { type PageWords, pageWordsOf } from './page-words.ts'
import type { Whole } from './parts.ts'
import { type Prepared, prepare } from './prepared.ts'
import { readerOf } from './principal.ts'
import { type Query, queryReader } from './query.ts'

/** What a route does with a collection, made when the route is registered. */
export interface Plan extends Whole {
  readonly settings: Settings
  readonly words: PageWords
  /** @throws Problem 400 for what the client may not ask, or cannot ask like that */
  read(ctx: AroundContext): Awaitable<Asked>
}

/** What a client has asked, and where its walk stands if it is one. */
export interface Asked {
  readonly prepared: Prepared
  readonly walk?: Walk | undefined
}

/** @throws TypeError for options that do not go together, and for fields that have the name of a parameter */
export function planOf(whole: Whole, foreign: ReadonlySet<string>, route?: Route): Plan {
  const { resource, parts, options, where } = whole
  const settings = settingsOf(options)
  const { style, paging, perPage, maxPerPage, depth } = settings
  if (route?.methods.includes('QUERY') && paging.includes('cursor') && settings.name === false)
    throw new TypeError(
      `${where}: with QUERY a cursor goes into the body, and this one is a bare list. Give it a name.`,
    )
  if (route && paging.includes('cursor') && parts.has('page') && options.secret === undefined) warnOf(route)
  const ignore = [...(options.ignore ?? []), ...foreign]
  const readQuery = queryReader(resource, { style, paging, perPage, maxPerPage, depth, parts, ignore }, where)
  const words = pageWordsOf(settings)
  const preparing = { resource, isPaged: parts.has('page'), settings, words }
  const kept = keeping()
  let its: Cursors | undefined
  const cursors = (app: Kolba) => {
    its ??= cursorsOf(app, options)
    return its
  }

  function walkOf(ctx: AroundContext, query: Query): Walk | undefined {
    if (query.page.kind !== 'cursor' || !parts.has('page')) return
    const question = questionOf(query, [ctx.route?.path, ctx.params, readerOf(ctx, options.principal)])
    const walk = { question, cursors: cursors(ctx.app) }
    const { cursor } = query.page
    if (!cursor) return walk
    const position = walk.cursors.read(
      cursor,
      question,
      query.order.map(({ field }) => field),
    )
    if (typeof position !== 'string') return { ...walk, position }
    const place = ctx.method === 'QUERY' ? { pointer: '#/cursor' } : { parameter: words.cursor }
    const errors = [{ ...place, detail: position }]
    throw problem(400, { detail: `The cursor cannot be used. ${position}`, errors })
  }

  function read(ctx: AroundContext): Awaitable<Asked> {
    const { method } = ctx
    const isUrl = method === 'GET' || method === 'HEAD'
    const text = isUrl ? ctx.querystring : ''
    const before = isUrl ? kept.get(text) : undefined
    if (before) return { prepared: before, walk: walkOf(ctx, before.query) }
    return when(readQuery(ctx), query => {
      const prepared = prepare(query, preparing)
      if (isUrl) kept.keep(text, prepared)
      return { prepared, walk: walkOf(ctx, query) }
    })
  }

  return { ...whole, settings, words, read }
}

const ADVICE = 'makes cursors that other processes refuse. Give secret, or kolba({ keys })'

function warnOf(route: Route): void {
  const { app } = route
  app.perProcess.push({ route, decorator: 'collection', advice: ADVICE, applies: () => !appKeys(app) })
}

/** What a cursor is an answer to. The order in which conditions were written makes no other question. */
function questionOf({ filter, order }: Query, rest: readonly unknown[]): string {
  const where = filter.where.map(({ field, operator, values }) => JSON.stringify([field.name, operator, values])).sort()
  const by = order.map(({ field, descending }) => [field.name, field.type, descending])
  return JSON.stringify([...rest, where, filter.search?.text, by])
}
