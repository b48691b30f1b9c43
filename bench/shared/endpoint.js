// The whole endpoint of W4 and W7: its data, its tokens, its query language and its page. What a framework has no plug-in
// for its user writes by hand, and here that is the same for all of them.
import { createHmac, createSecretKey } from 'node:crypto'

export const SECRET = 'a secret of thirty-two bytes, or of more'
export const AUDIENCE = 'bench'
/** A key made once: jsonwebtoken tries a text as a public key first, at every token. */
export const KEY = createSecretKey(Buffer.from(SECRET))
/** Requests a minute of a user: it is counted and told, and never reached. */
export const LIMIT = 100_000_000
export const CACHE_CONTROL = 'private, max-age=60'
export const HOST = 'api.example.com'

const CATEGORIES = ['garden', 'kitchen', 'office', 'workshop']

export const products = Array.from({ length: 1000 }, (_, index) => ({
  id: index + 1,
  name: `Product ${index + 1}`,
  category: CATEGORIES[index % CATEGORIES.length],
  price: ((index * 7919) % 499) + 1,
  stock: (index * 31) % 97,
}))

/** The version of the data, which every write moves. */
export const table = { version: 1 }

/** A query as a framework has parsed it, with `price[gte]` as its name. Undefined where it does not fit. */
export function readQuery(query) {
  const { category, sort = 'id', page = '1', per_page: perPage = '20', 'price[gte]': least } = query
  const wanted = { category, sort, page: Number(page), perPage: Number(perPage), least: least && Number(least) }
  const isCount = value => Number.isInteger(value) && value >= 1
  const fits = isCount(wanted.page) && isCount(wanted.perPage) && wanted.perPage <= 100
  return fits && SORTS.has(sort) && (least === undefined || Number.isFinite(wanted.least)) ? wanted : undefined
}

const SORTS = new Set(['id', '-id', 'price', '-price', 'name', '-name'])

/** Filters, sorts and cuts the list. @returns the rows of the page and how many there are of all. */
export function findInList({ category, least, sort, page, perPage }) {
  const fits = row =>
    (category === undefined || row.category === category) && (least === undefined || row.price >= least)
  const name = sort.replace('-', '')
  const sign = sort.startsWith('-') ? -1 : 1
  const compare = (a, b) => {
    if (a[name] === b[name]) return a.id - b.id
    return a[name] < b[name] ? -sign : sign
  }
  const found = products.filter(fits).sort(compare)
  return { rows: found.slice((page - 1) * perPage, page * perPage), total: found.length }
}

/** The body, and the `Link` header, of a page. `url` is path and query as they came, `host` the Host header. */
export function pageOf({ rows, total }, { page, perPage }, url, host) {
  const pages = Math.max(1, Math.ceil(total / perPage))
  const to = number => `http://${host}${withPage(url, number)}`
  const links = { self: `http://${host}${url}`, first: to(1) }
  if (page > 1) links.prev = to(page - 1)
  if (page < pages) links.next = to(page + 1)
  links.last = to(pages)
  const link = Object.entries(links).map(([rel, href]) => `<${href}>; rel="${rel}"`)
  return { link: link.join(', '), body: { items: rows, meta: { page, per_page: perPage, total, pages }, links } }
}

function withPage(url, number) {
  if (/[?&]page=/.test(url)) return url.replace(/([?&]page=)\d+/, `$1${number}`)
  return `${url}${url.includes('?') ? '&' : '?'}page=${number}`
}

/** An HS256 token of a user, signed here so that no plug-in has a hand in it. */
export function tokenOf(user) {
  const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 24 * 60 * 60
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, aud: AUDIENCE, exp })}`
  return `${signed}.${createHmac('sha256', KEY).update(signed).digest('base64url')}`
}

const URLS = [
  '/products?category=garden&price[gte]=100&sort=-price&page=2&per_page=25',
  '/products?category=kitchen&price[gte]=50&sort=price&page=1&per_page=25',
  '/products?category=office&price[gte]=200&sort=-price&page=3&per_page=25',
  '/products?category=workshop&price[gte]=10&sort=name&page=4&per_page=25',
]

/** 50 users, each with four pages, in turn. */
export function requestsOfUsers() {
  const tokens = Array.from({ length: 50 }, (_, index) => tokenOf(`user-${index + 1}`))
  return URLS.flatMap(path => tokens.map(token => requestOf(path, token)))
}

function requestOf(path, token) {
  const query = Object.fromEntries(new URL(path, 'http://localhost').searchParams)
  const wanted = readQuery(query)
  const { link, body } = pageOf(findInList(wanted), wanted, path, HOST)
  return {
    path,
    headers: { Host: HOST, Authorization: `Bearer ${token}` },
    expect: JSON.stringify(body),
    expectHeaders: { link, 'cache-control': CACHE_CONTROL, etag: /^(W\/)?".+"$/ },
    expectSome: /^(x-)?ratelimit/,
  }
}

/** What has to be refused: no token, one of another key, and a query that does not fit. */
export const refused = [
  { path: URLS[0], headers: { Host: HOST }, status: /^401$/ },
  {
    path: URLS[0],
    headers: { Host: HOST, Authorization: `Bearer ${tokenOf('user-1').slice(0, -3)}AAA` },
    status: /^401$/,
  },
  {
    path: '/products?page=0',
    headers: { Host: HOST, Authorization: `Bearer ${tokenOf('user-1')}` },
    status: /^4(00|22)$/,
  },
]
