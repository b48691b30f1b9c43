import type { AroundContext } from '../../src/index.ts'
import { changer, linkHeader, urlOf } from './link-header.ts'
import { type Moves, movesOf } from './moves.ts'
import type { Page } from './page.ts'
import type { PageWords } from './page-words.ts'
import type { PageQuery } from './query.ts'

/** The URLs around a page by their relation, and the same as a header. */
export interface PageLinks {
  readonly links: Readonly<Record<string, string>>
  readonly header: string
}

export type Linking = (ctx: AroundContext, page: Page) => PageLinks

/** All that the links of a page are made of. */
interface Made extends PageLinks, Pick<Page, 'total' | 'more' | 'isEstimate'> {
  readonly originalUrl: string
  readonly protocol: string
  readonly host: string
}

/** What is longer is not kept for the next request. */
const LONGEST = 2048

/** Makes the links of the pages that one query asks for. They are mostly those of the request before, and given again. */
export function linking(words: PageWords, query: PageQuery): Linking {
  let last: Made | undefined
  return (ctx, page) => {
    const { originalUrl, protocol, host } = ctx
    const { total, more, isEstimate } = page
    const isSame =
      last?.originalUrl === originalUrl &&
      last.host === host &&
      last.protocol === protocol &&
      last.total === total &&
      last.more === more &&
      last.isEstimate === isEstimate
    if (last && isSame) return last
    const made = linksOf(ctx, movesOf(query, page), words)
    if (originalUrl.length + host.length <= LONGEST)
      last = { ...made, originalUrl, protocol, host, total, more, isEstimate }
    return made
  }
}

export function linksOf(ctx: AroundContext, moves: Moves, words: PageWords): PageLinks {
  const url = urlOf(ctx)
  const change = changer(url)
  const links: Record<string, string> = { self: url }
  for (const [relation, page] of Object.entries(moves)) links[relation] = change(words.write(page))
  return { links, header: linkHeader(links) }
}
