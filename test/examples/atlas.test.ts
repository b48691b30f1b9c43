import test from 'ava'
import { app } from '../../examples/atlas.js'

const client = app.client()
app.logger = { info() {}, warn() {}, error() {} }

test('the atlas lists 250 countries with their URLs', async t => {
  const list = (await (await client.get('/countries')).json()) as { code: string; url: string }[]
  t.is(list.length, 250)
  t.deepEqual(list[0], { code: 'ABW', name: 'Aruba', url: '/countries/ABW' } as never)
})

test('the atlas lists the countries of a region', async t => {
  const list = (await (await client.get('/countries?region=Antarctic')).json()) as { code: string }[]
  t.deepEqual(list.map(({ code }) => code).sort(), ['ATA', 'ATF', 'BVT', 'HMD', 'SGS'])
})

test('the atlas shows a country with its neighbours as links that work', async t => {
  const country = (await (await client.get('/countries/CHE')).json()) as { name: string; neighbours: string[] }
  t.is(country.name, 'Swiss Confederation')
  t.is(country.neighbours.length, 5)
  for (const url of country.neighbours) t.is((await client.get(new URL(url).pathname)).status, 200)
})

test('the atlas finds countries by a part of the name', async t => {
  const found = (await (await client.get('/countries/search?q=switz')).json()) as { code: string }[]
  t.deepEqual(
    found.map(({ code }) => code),
    ['CHE'],
  )
  t.is((await client.get('/countries/search')).status, 400)
})

test('the atlas answers an unknown code with a problem', async t => {
  const response = await client.get('/countries/XXX')
  t.is(response.status, 404)
  t.is(response.headers.get('content-type'), 'application/problem+json')
  const { detail } = (await response.json()) as { detail: string }
  t.is(detail, 'There is no country XXX. Codes are like CHE and NZL.')
})

test('the atlas keeps a note: POST, GET, PUT, DELETE', async t => {
  const url = '/countries/NZL/note'
  t.is((await client.get(url)).status, 404)
  const posted = await client.post(url, { json: { note: 'Kiwi' } })
  t.is(posted.status, 201)
  t.is(posted.headers.get('location'), url)
  t.is((await client.post(url, { json: { note: 'again' } })).status, 409)
  const put = (note: unknown, headers?: Record<string, string>) =>
    client.put(url, { json: { note }, ...(headers && { headers }) })
  t.is((await put('Moa')).status, 428)
  const tag = posted.headers.get('etag') as string
  t.is((await client.get(url, { headers: { 'If-None-Match': tag } })).status, 304)
  const changed = await put('Moa', { 'If-Match': tag })
  t.is(changed.status, 200)
  t.deepEqual(await (await client.get(url)).json(), { note: 'Moa' })
  t.is((await put('Tui', { 'If-Match': tag })).status, 412)
  t.is((await put(5, { 'If-Match': changed.headers.get('etag') as string })).status, 422)
  t.is((await client.delete(url)).status, 204)
  t.is((await client.delete(url)).status, 404)
  t.is((await put('New', { 'If-None-Match': '*' })).status, 201)
  t.is((await client.delete(url)).status, 204)
})

test('the atlas has a page whose links work', async t => {
  const response = await client.get('/')
  t.is(response.headers.get('content-type'), 'text/html; charset=utf-8')
  const page = await response.text()
  const links = [...page.matchAll(/href="([^"]+)"/g)].map(match => match[1] as string)
  t.is(links.length, 4)
  for (const link of links) t.is((await client.get(link)).status, link.endsWith('XXX') ? 404 : 200)
  for (const { path } of app.routes()) t.true(page.includes(path))
})
