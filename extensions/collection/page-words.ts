import { STYLES } from './language/styles.ts'
import type { PageRole, Style } from './language/terms.ts'
import type { Changes } from './link-header.ts'
import type { Settings } from './options.ts'
import type { PageQuery } from './query.ts'

/** How a style of URLs says a page. */
export interface PageWords {
  readonly cursor: string | undefined
  /** The parameters of a page, and those of all others left out. */
  write(page: PageQuery): Changes
}

/** The page in its language, as its readers in `language/` understand it. */
export function pageWordsOf({ style, paging }: Pick<Settings, 'style' | 'paging'>): PageWords {
  const { named } = STYLES.get(style) as Style
  const nameOf = (role: PageRole) => [...named].find(([, reader]) => reader.role === role)?.[0]
  const [page, offset, end, cursor] = (['page', 'offset', 'end', 'cursor'] as const).map(nameOf)
  const none = [page, offset, end, cursor].flatMap(name => (name === undefined ? [] : [[name, undefined] as const]))

  function textsOf(it: PageQuery): Record<string, string | undefined> {
    if (it.kind === 'page') return { [page as string]: String(it.page) }
    // An empty cursor asks for the first page of a walk, where none at all would ask for a page of another kind.
    if (it.kind === 'cursor') return { [cursor as string]: it.cursor ?? (paging[0] === 'cursor' ? undefined : '') }
    const { limit } = it
    if (style === 'react-admin') return { range: JSON.stringify([it.offset, it.offset + limit - 1]) }
    return { [offset as string]: String(it.offset), ...(end && { [end]: String(it.offset + limit) }) }
  }
  return { cursor, write: page => new Map([...none, ...Object.entries(textsOf(page))]) }
}

/** A page as the body of a QUERY says it, which is the same in every style. */
export function pageMembers(page: PageQuery): Record<string, unknown> {
  if (page.kind === 'page') return { page: page.page }
  return page.kind === 'offset' ? { offset: page.offset } : { cursor: page.cursor ?? '' }
}
