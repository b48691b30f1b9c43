import { kolba } from 'kolba'
import { cacheControl, noCache } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { testChromium } from '../support/chromium.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { listening } from '../support/raw.ts'

interface Seen {
  readonly path: string
  readonly status: number
  readonly ifNoneMatch: string | undefined
}

/** A page whose text comes from a resource; both have tags, and what the server answers is noted. */
function pages() {
  const seen: Seen[] = []
  const note = { title: 'Emma', version: 1 }
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  app.get('/', noCache(), etag(), ctx => {
    ctx.type = 'html'
    return '<!doctype html><title>Notes</title><link rel="icon" href="data:,"><h1>Notes</h1>'
  })
  app.get('/note', noCache(), json(), etag({ version: (row: typeof note) => row.version }), () => note)
  app.get('/fresh', cacheControl({ maxAge: 600 }), etag(), () => 'fresh')
  app.after(({ path, status, headers }) => {
    seen.push({ path, status, ifNoneMatch: headers['if-none-match'] })
  })
  return { app, seen, note }
}

testChromium('etag() answers 304 when Chromium reloads a page, which looks the same', async (t, browser) => {
  const { app, seen } = pages()
  const { port } = await listening(t, app)
  const page = await browser.newPage()
  const first = await page.goto(`http://127.0.0.1:${port}/`)
  t.is(first?.status(), 200)
  const tag = first?.headers().etag
  t.truthy(tag)
  const before = await page.content()
  const second = await page.reload()
  t.is(second?.status(), 304)
  t.is(await page.content(), before)
  t.regex(before, /<h1>Notes<\/h1>/)
  t.deepEqual(seen, [
    { path: '/', status: 200, ifNoneMatch: undefined },
    { path: '/', status: 304, ifNoneMatch: tag },
  ])
})

testChromium(
  'etag() lets a script in Chromium have what is current, by 304 while nothing changes',
  async (t, browser) => {
    const { app, seen, note } = pages()
    const { port } = await listening(t, app)
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/`)
    // Runs in the page. Its fetch() goes through the cache of the browser, which hides the 304.
    const read = () => page.evaluate("fetch('/note').then(async it => [it.status, await it.json()])")
    t.deepEqual(await read(), [200, { title: 'Emma', version: 1 }])
    t.deepEqual(await read(), [200, { title: 'Emma', version: 1 }])
    Object.assign(note, { title: 'Persuasion', version: 2 })
    t.deepEqual(await read(), [200, { title: 'Persuasion', version: 2 }])
    t.deepEqual(await read(), [200, { title: 'Persuasion', version: 2 }])
    t.deepEqual(seen.slice(1), [
      { path: '/note', status: 200, ifNoneMatch: undefined },
      { path: '/note', status: 304, ifNoneMatch: '"1"' },
      { path: '/note', status: 200, ifNoneMatch: '"1"' },
      { path: '/note', status: 304, ifNoneMatch: '"2"' },
    ])
  },
)

testChromium(
  'etag() is not asked by Chromium while an answer is fresh, and is when it reloads it',
  async (t, browser) => {
    const { app, seen } = pages()
    const { port } = await listening(t, app)
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/`)
    const read = (cache: string) =>
      page.evaluate(`fetch('/fresh', { cache: '${cache}' }).then(async it => [it.status, await it.text()])`)
    for (const cache of ['default', 'default', 'no-cache', 'default']) t.deepEqual(await read(cache), [200, 'fresh'])
    const [, first, second, ...others] = seen
    t.deepEqual([first?.status, first?.ifNoneMatch], [200, undefined])
    t.is(second?.status, 304)
    t.truthy(second?.ifNoneMatch)
    t.deepEqual(others, [])
  },
)
