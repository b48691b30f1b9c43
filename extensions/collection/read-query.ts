import { bodyReader } from '../../src/body/body.ts'
import {
  type Awaitable,
  type BaseContext,
  checkOptions,
  type Preferences,
  type Problem,
  problem,
} from '../../src/index.ts'
import { readBody } from './language/body.ts'
import { checkNames, LANGUAGE_OPTIONS, type LanguageOptions, PARTS, pagingOf } from './language/options.ts'
import { ROLES, readPage } from './language/page.ts'
import { readPairs } from './language/pairs.ts'
import { STYLES } from './language/styles.ts'
import { addFault, type Fault, noTerms, type Reader, type Style, type Terms, TWICE } from './language/terms.ts'
import type { Query } from './query.ts'
import { resolveExpand, resolveFields, resolveFilter, resolveOrder } from './resolve.ts'
import { type Resource, totalOrder } from './resource.ts'
import { listed } from './words.ts'

const FAULTS = 20

/**
 * Makes what reads the query of a request: from its URL, or from the JSON of a QUERY (RFC 10008), which answers with
 * `Accept-Query` (section 3). All that is wrong comes at once, in a 400 with `errors`, unless the client prefers
 * `handling=lenient` (RFC 7240 section 4.4) and `prefer()` stands above: then it is ignored, and `Preference-Applied`
 * says so. What is malformed or too much is 400 either way.
 *
 * It gives a promise for QUERY alone.
 *
 * @param where what the errors begin with, `GET /books: collection`
 * @throws TypeError for a wrong option, and where two parameters would have the same name
 */
export function queryReader(
  resource: Resource,
  options: LanguageOptions = {},
  where = 'collection',
): (ctx: BaseContext) => Awaitable<Query> {
  checkOptions(where, options, LANGUAGE_OPTIONS)
  const style = STYLES.get(options.style ?? 'default') as Style
  const { depth = 2, parts = PARTS } = options
  const { maxPerPage = Math.max(100, options.perPage ?? 0), perPage = Math.min(20, maxPerPage) } = options
  const paging = pagingOf(where, style, options.paging)
  const ignore = new Set(options.ignore)
  const roles = new Set(paging.flatMap(kind => ROLES[kind]))
  const body = bodyReader(where, { types: ['json'] })
  if (perPage > maxPerPage) throw new TypeError(`${where}: perPage ${perPage} is more than maxPerPage ${maxPerPage}.`)

  const takes = ({ part, role }: Pick<Reader, 'part' | 'role'>) => {
    if (part === 'search') return parts.has('filter') && resource.search.length > 0
    return parts.has(part) && (role === undefined || roles.has(role))
  }
  const own = [...style.named].flatMap(([name, reader]) => (takes(reader) ? name : []))
  const filterable = parts.has('filter') ? [...resource.filterable] : []
  const isFlat = style.isFlat && filterable.length > 0
  checkNames(where, own, isFlat ? filterable : [], ignore)
  const hint = `Fields to filter by are ${listed(filterable)}, as ${style.example}.`
  const unknown = `There is no such parameter. ${isFlat ? `${hint} Others` : 'There'} are ${listed(own)}.`
  const noMember = `There is no such field. There are ${listed(filterable)}.`
  const noField = isFlat ? unknown : `There is no such field. ${hint}`

  function fromUrl(querystring: string): Terms {
    const terms = noTerms()
    for (const [name, texts] of readPairs(querystring)) {
      if (ignore.has(name)) continue
      const named = style.named.get(name)
      const reader = named && takes(named) ? named : style.other(name, resource)
      const place = { parameter: name }
      if (!reader || !takes(reader)) addFault(terms, place, unknown)
      else if (texts.length > 1 && !reader.repeats) addFault(terms, place, TWICE)
      else for (const text of texts) reader.read(text, place, terms, resource)
    }
    return terms
  }

  async function fromBody(ctx: BaseContext): Promise<Terms> {
    ctx.set('Accept-Query', 'application/json')
    const { input } = ctx as { input?: { body?: unknown } }
    const value = input && 'body' in input ? input.body : (await body.read(ctx)).value
    const terms = readBody(value, resource, takes)
    for (const name of readPairs(ctx.querystring).keys())
      if (!ignore.has(name)) addFault(terms, { parameter: name }, 'A QUERY says this in its body.')
    return terms
  }

  function toQuery(ctx: BaseContext, terms: Terms): Query {
    const size = style.wantsAll && terms.page.length === 0 ? maxPerPage : perPage
    const filter = resolveFilter(terms, resource, ctx.method === 'QUERY' ? noMember : noField)
    const order = resolveOrder(terms, resource)
    const fields = resolveFields(terms, resource)
    const expand = resolveExpand(terms, resource, depth)
    const page = readPage(terms, { paging, perPage: size, maxPerPage })
    const isOrdered = order.length > 0
    return {
      filter,
      order: isOrdered ? totalOrder(order, resource.key) : resource.sort,
      isOrdered,
      fields,
      expand,
      page,
      ignored: settle(ctx, terms.faults),
    }
  }

  return ctx => {
    if (ctx.method === 'QUERY') return fromBody(ctx).then(terms => toQuery(ctx, terms))
    return toQuery(ctx, fromUrl(ctx.querystring))
  }
}

/** Nothing, where nothing is wrong; or what is ignored, where the client prefers it so. */
function settle(ctx: BaseContext, faults: readonly Fault[]): string[] {
  if (faults.length === 0) return []
  const { prefer } = ctx as { prefer?: Preferences }
  if (prefer?.handling !== 'lenient') throw refusal(faults)
  prefer.applied('handling')
  return [...new Set(faults.map(({ parameter, pointer }) => parameter ?? pointer ?? ''))]
}

function refusal(faults: readonly Fault[]): Problem {
  const some = faults.length === 1 ? 'One term of the query does' : `${faults.length} terms of the query do`
  return problem(400, { detail: `${some} not fit. See errors.`, errors: faults.slice(0, FAULTS) })
}
