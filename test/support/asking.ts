import { kolba } from 'kolba'
import { collection, resource } from 'kolba/collection'
import { json } from 'kolba/json'

type Fields = Parameters<typeof resource>[0]['fields']

export interface Item {
  readonly id: number
  readonly it: unknown
}

/** What a collection of rows with an `id` and an `it` answers: a page with all that a query asks for, and walks. */
export function asking(it: object, rows: () => unknown) {
  const app = kolba({ keys: ['a key of at least 32 bytes for a walk'] })
  const things = resource({ fields: { id: 'number', it } as Fields })
  app.get('/', json(), collection(things, { paging: ['page', 'cursor'], perPage: 100 }), rows as () => object)
  const client = app.client()

  async function get(url: string) {
    const response = await client.get(url.replace('http://localhost', ''))
    const body = (await response.json()) as { items: Item[]; links: Record<string, string> }
    if (response.status !== 200) throw new Error(`${url}: ${response.status} ${JSON.stringify(body)}`)
    return body
  }

  /** The ids of a walk of two rows a page; one that does not end is cut. */
  async function ids(first: string | undefined, towards: 'next' | 'prev'): Promise<number[]> {
    const found: number[] = []
    for (let url = first; url !== undefined && found.length < 40; ) {
      const { items, links } = await get(url)
      const some = items.map(({ id }) => id)
      found.push(...(towards === 'prev' ? some.reverse() : some))
      url = links[towards]
    }
    return found
  }

  return {
    app,
    all: async (query = '') => (await get(`/?${query}`)).items,
    there: (sort: string) => ids(`/?cursor=&limit=2&sort=${sort}`, 'next'),
    async back(sort: string) {
      const { links } = await get(`/?cursor=&limit=2&sort=${sort}`)
      return (await ids(links.last, 'prev')).reverse()
    },
  }
}
