import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import type { app as cities } from '../../examples/cities.js'
import { testChromium } from '../support/chromium.js'
import { isWhole } from '../support/extent.js'
import { testPostgres } from '../support/postgres.js'
import { root } from '../support/root.js'

type App = typeof cities
type Item = Record<string, unknown>
interface Body {
  items: Item[]
  meta: Record<string, number>
  links: Record<string, string>
}

// Cities of their own for each database: the module is loaded anew.
async function open(url: string): Promise<App> {
  if (url) process.env.DATABASE_URL = url
  else delete process.env.DATABASE_URL
  const { app } = await import(`../../examples/cities.js?${url ? 'postgres' : 'sqlite'}`)
  app.logger = { info() {}, warn() {}, error() {} }
  return app
}

let sqlite: Promise<App> | undefined
/** Loaded once for all tests: none of them writes. */
function onSqlite(): Promise<App> {
  sqlite ??= open('')
  return sqlite
}

test.after.always(async () => (await sqlite)?.close())

async function read(app: App, query: string): Promise<Body> {
  const response = await app.client().get(`/cities?${encodeURI(decodeURI(query))}`)
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${query} is ${response.status}: ${body}`)
  return JSON.parse(body)
}

const namesOf = ({ items }: Body) => items.map(({ name }) => name)

test('cities.ts has at most 60 lines', t => {
  t.true(readFileSync(join(root, 'examples/cities.ts'), 'utf8').trimEnd().split('\n').length <= 60)
})

test('the cities are 135,233, the largest first', async t => {
  const app = await onSqlite()
  const response = await app.client().get('/cities?per_page=3')
  t.is(response.headers.get('x-total-count'), '135233')
  const { items, meta, links } = (await response.json()) as Body
  t.deepEqual(meta, { page: 1, per_page: 3, total: 135233, pages: 45078 })
  t.deepEqual(items[0], {
    id: 1796236,
    name: 'Shanghai',
    population: 22315474,
    capital: false,
    country_code: 'CN',
    longitude: 121.45806,
    latitude: 31.22222,
    _links: {
      about: 'https://www.geonames.org/1796236',
      country: `${new URL(links.self as string).origin}/countries?code=CN`,
    },
  })
  t.deepEqual(
    items.map(({ name }) => name),
    ['Shanghai', 'Istanbul', 'Buenos Aires'],
  )
})

test('the cities are filtered, sorted, searched, selected and expanded', async t => {
  const app = await onSqlite()
  const capitals = await read(app, 'capital=true&country_code[in]=DE,FR,GB&sort=name&fields=name')
  t.deepEqual(namesOf(capitals), ['Berlin', 'London', 'Paris'])
  t.deepEqual(capitals.items[0], { name: 'Berlin', _links: capitals.items[0]?._links })
  const large = await read(app, 'population[between]=1000000,1100000&latitude[lt]=0&sort=-name&fields=id,name')
  t.deepEqual(namesOf(large), ['Nova Iguaçu', 'Campinas'])
  const york = await read(app, 'q=york&name[like]=New*&expand=country&per_page=1')
  t.like(york.items[0], {
    name: 'New York City',
    country: { code: 'US', name: 'United States', region: 'Americas' },
  })
})

test('the country of a city has a link, which leads to it', async t => {
  const app = await onSqlite()
  const { items } = await read(app, 'name=Wellington&country_code=NZ')
  const [{ country = '' } = {}] = items.map(({ _links }) => _links as { country?: string })
  const { pathname, search } = new URL(country)
  const body = (await (await app.client().get(pathname + search)).json()) as Body
  t.deepEqual(body.items, [{ code: 'NZ', name: 'New Zealand', region: 'Oceania' }])
})

test('the Link header leads through all pages, and a page behind the last is 404', async t => {
  const app = await onSqlite()
  const ids: unknown[] = []
  let next: string | undefined = '/cities?country_code=CH&per_page=100&sort=name'
  while (next) {
    const response = await app.client().get(next)
    t.is(response.status, 200)
    const { items, meta } = (await response.json()) as Body
    t.is(response.headers.get('x-total-count'), String(meta.total))
    ids.push(...items.map(({ id }) => id))
    next = /<https?:\/\/[^/]+([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  }
  const { meta } = await read(app, 'country_code=CH')
  t.deepEqual([ids.length, new Set(ids).size], [meta.total, meta.total] as number[])
  t.is((await app.client().get('/cities?country_code=CH&page=9999')).status, 404)
})

// CI walks through all of them, and `npm test` through those of one country.
const [chosen, whose] = isWhole ? ['', 'all cities of all countries'] : ['country_code=DE', 'all cities of a country']
test(`a cursor leads through ${whose}, forth and back`, async t => {
  const app = await onSqlite()
  const { total } = (await read(app, `${chosen}&per_page=1`)).meta
  for (const [start, relation] of [
    ['first', 'next'],
    ['last', 'prev'],
  ] as const) {
    const seen = new Set<unknown>()
    let { links } = await read(app, `${chosen}&cursor=&limit=100&fields=id`)
    let next = links[start]
    while (next) {
      const body: Body = await read(app, new URL(next).search.slice(1))
      for (const { _links } of body.items) {
        const { about } = _links as { about: string }
        t.false(seen.has(about))
        seen.add(about)
      }
      links = body.links
      next = links[relation]
    }
    t.is(seen.size, total as number)
  }
})

test('the cities answer 304 while nothing changes, CSV where it is wanted, and QUERY', async t => {
  const client = (await onSqlite()).client()
  const first = await client.get('/cities?q=paris')
  const tag = first.headers.get('etag') as string
  t.is((await client.get('/cities?q=paris', { headers: { 'If-None-Match': tag } })).status, 304)
  t.is((await client.get('/cities?q=rome', { headers: { 'If-None-Match': tag } })).status, 200)

  const csv = await client.get('/cities.csv?per_page=2&fields=id,name,capital')
  t.is(csv.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  t.is(await csv.text(), 'id,name,capital\r\n1796236,Shanghai,false\r\n745044,Istanbul,false\r\n')
  t.regex(csv.headers.get('link') ?? '', /\/cities\.csv\?per_page=2&fields=id,name,capital&page=2>; rel="next"/)
  t.is((await client.get('/cities', { headers: { Accept: 'text/csv' } })).headers.get('vary'), 'Accept')

  const json = { filter: { population: { gte: 10_000_000 }, capital: true }, sort: ['-name'], fields: ['name'] }
  const found = (await (await client.query('/cities', { json })).json()) as Body
  t.deepEqual(namesOf(found), ['Seoul', 'Moscow', 'Mexico City', 'Dhaka', 'Buenos Aires', 'Beijing'])
})

test('the cities answer 400 to what there is not, and say what there is', async t => {
  const client = (await onSqlite()).client()
  const response = await client.get('/cities?mayor=Ada&population[gte]=many')
  t.is(response.status, 400)
  const { errors } = (await response.json()) as { errors: { parameter: string; detail: string }[] }
  t.deepEqual(
    errors.map(({ parameter }) => parameter),
    ['mayor', 'population[gte]'],
  )
  t.regex(errors[0]?.detail ?? '', /Fields to filter by are id, name, population, capital, country_code/)
  t.is(errors[1]?.detail, 'Expected a number.')
})

const QUERIES = [
  '',
  'sort=name&page=700',
  'sort=-name&fields=id,name',
  'sort=country_code,-population&per_page=100&page=3',
  'sort=-capital,name',
  'q=São',
  'q=sÃO',
  "name[like]=*'*&sort=name",
  'name[like]=San *&country_code[nin]=US,ES&sort=-latitude',
  'name[gte]=Ö&sort=name',
  'population[null]=true',
  'population=0&sort=name',
  'longitude[between]=-0.5,0.5&latitude[gt]=51&sort=longitude',
  'capital=true&per_page=100&sort=name&expand=country',
  'country_code[ne]=US&offset=77777&limit=10',
  'country_code=XX',
  'id=745044',
]

testPostgres('the cities on PostgreSQL are those on SQLite', async (t, url) => {
  const [one, other] = [await onSqlite(), await open(url)]
  try {
    for (const query of QUERIES) {
      const bodies = [await read(one, query), await read(other, query)] as const
      t.deepEqual(...(bodies.map(({ items, meta }) => ({ items, meta })) as [object, object]), query)
    }
    const cursors = await Promise.all([one, other].map(app => walk(app, 'cursor=&limit=100&sort=-population', 20)))
    t.is(cursors[0]?.length, 2000)
    t.deepEqual(cursors[0], cursors[1])
    const { items: last } = await read(
      other,
      new URL((await read(other, 'cursor=')).links.last as string).search.slice(1),
    )
    t.is(last.length, 20)
    t.is(last.at(-1)?.population, 0)
  } finally {
    await other.close()
  }
})

/** The ids on so many pages. */
async function walk(app: App, start: string, pages: number): Promise<unknown[]> {
  const ids: unknown[] = []
  let query = start
  for (let page = 0; page < pages; page += 1) {
    const { items, links } = await read(app, query)
    ids.push(...items.map(({ id }) => id))
    query = new URL(links.next as string).search.slice(1)
  }
  return ids
}

testChromium('the page of the cities searches, sorts and turns pages in Chromium', async (t, browser) => {
  const app = await onSqlite()
  const server = app.listen(0)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const page = await browser.newPage()
  const errors: unknown[] = []
  page.on('pageerror', error => errors.push(error))
  await page.goto(`http://127.0.0.1:${port}/`)
  const shows = (text: string) => page.waitForFunction(`document.querySelector('#status').textContent === '${text}'`)
  const names = () => page.$$eval('tbody td:first-child', cells => cells.map(it => it.textContent))
  const sorted = () => page.$$eval('th', cells => cells.map(it => it.getAttribute('aria-sort')))
  await shows('135,233 cities, page 1 of 6,762')
  t.deepEqual((await names()).slice(0, 2), ['Shanghai', 'Istanbul'])
  t.deepEqual(await sorted(), ['none', 'none', 'descending', 'none', 'none'])
  t.is(await page.$eval('button[data-rel=prev]', it => it.matches(':disabled')), true)

  await page.type('#q', 'san jose')
  await page.keyboard.press('Enter')
  await page.waitForFunction("document.querySelector('tbody td').textContent === 'San Jose'")
  t.true((await names()).every(name => /san jose/i.test(name ?? '')))
  t.is(new URL(page.url()).search, '?q=san+jose')

  await page.click('[data-field=name]')
  await page.waitForFunction("document.querySelector('th').ariaSort === 'ascending'")
  const ascending = await names()
  t.deepEqual(ascending, [...ascending].sort())
  await page.click('[data-rel=next]')
  await page.waitForFunction("/page 2 of/.test(document.querySelector('#status').textContent)")
  const second = await names()
  t.true((second[0] ?? '') >= (ascending.at(-1) ?? ''))
  await page.goBack()
  await page.waitForFunction("/page 1 of/.test(document.querySelector('#status').textContent)")
  t.deepEqual(await names(), ascending)

  await page.goto(`http://127.0.0.1:${port}/?mayor=Ada`)
  await page.waitForFunction("/There is no such parameter/.test(document.querySelector('#status').textContent)")
  t.deepEqual(errors, [])
})
