import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { type BaseContext, kolba, stack } from 'kolba'
import { body } from 'kolba/body'
import { cacheControl, cached, noCache, vary } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { type Cache, npmCache, undiciCache } from '../support/cache-tests/caches.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { listening } from '../support/raw.ts'
import { hasCommand, testTool } from '../support/tools.ts'

const run = promisify(execFile)

interface Seen {
  readonly status: number
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

const CHANGED = new Date('2026-03-01T12:00:00Z')

/** Books with a tag each, by their bytes, by a version, and by a date alone. What the server answers is noted. */
async function library(t: ExecutionContext) {
  const seen: Seen[] = []
  const book = { title: 'Emma', version: 1 }
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  app.use(noCache())
  app.get('/bytes', etag(), json(), () => book)
  app.get('/version', json(), etag({ version: (row: typeof book) => row.version }), () => book)
  app.get('/date', json(), etag({ version: () => undefined, lastModified: () => CHANGED }), () => book)
  app.get('/both', etag({ lastModified: () => CHANGED }), json(), () => book)
  app.after(({ status, method, headers }) => {
    seen.push({ status, method, headers })
  })
  const { port } = await listening(t, app)
  return { seen, book, url: `http://127.0.0.1:${port}` }
}

for (const path of ['/bytes', '/version', '/both']) {
  test(`etag() answers 304 to fetch() of Node, which adds Cache-Control: no-cache, at ${path}`, async t => {
    const { seen, book, url } = await library(t)
    const first = await fetch(url + path)
    const tag = first.headers.get('etag') ?? ''
    t.deepEqual(await first.json(), book)
    const second = await fetch(url + path, { headers: { 'If-None-Match': tag } })
    t.is(seen[1]?.headers['cache-control'], 'no-cache')
    t.is(second.status, 304)
    t.is(second.headers.get('etag'), tag)
    t.is(await second.text(), '')
    Object.assign(book, { title: 'Persuasion', version: 2 })
    const third = await fetch(url + path, { headers: { 'If-None-Match': tag } })
    t.is(third.status, 200)
    t.not(third.headers.get('etag'), tag)
    t.deepEqual(await third.json(), book)
  })
}

test('etag() answers 304 to fetch() of Node with If-Modified-Since', async t => {
  const { seen, url } = await library(t)
  const date = (await fetch(`${url}/date`)).headers.get('last-modified') ?? ''
  t.is(date, 'Sun, 01 Mar 2026 12:00:00 GMT')
  t.is((await fetch(`${url}/date`, { headers: { 'If-Modified-Since': date } })).status, 304)
  t.is((await fetch(`${url}/date`, { headers: { 'If-Modified-Since': 'Sun, 01 Mar 2026 11:59:59 GMT' } })).status, 200)
  t.is(seen[1]?.headers['cache-control'], 'no-cache')
})

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kolba-curl-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--write-out', '%{http_code}', ...args])
  return stdout
}

for (const path of ['/bytes', '/version', '/both']) {
  const title = `etag() answers 304 to curl --etag-compare at ${path}, until something changes`
  testTool('curl', hasCommand('curl'), title, async t => {
    const { book, url } = await library(t)
    const at = await folder(t)
    const [tag, file] = [join(at, 'tag'), join(at, 'book.json')]
    const get = () => curl('--etag-save', tag, '--etag-compare', tag, '--output', file, url + path)
    // curl sends an empty tag where it has none, If-None-Match: "".
    t.is(await get(), '200')
    t.deepEqual(JSON.parse(await readFile(file, 'utf8')), book)
    await writeFile(file, 'what there was')
    t.is(await get(), '304')
    t.is(await readFile(file, 'utf8'), 'what there was')
    Object.assign(book, { title: 'Persuasion', version: 2 })
    t.is(await get(), '200')
    t.deepEqual(JSON.parse(await readFile(file, 'utf8')), book)
    t.is(await get(), '304')
  })
}

testTool('curl', hasCommand('curl'), 'etag() answers 304 to curl --time-cond with the time of its file', async t => {
  const { seen, url } = await library(t)
  const file = join(await folder(t), 'book.json')
  t.is(await curl('--remote-time', '--output', file, `${url}/date`), '200')
  t.is(await curl('--time-cond', file, '--output', file, `${url}/date`), '304')
  t.is(seen[1]?.headers['if-modified-since'], 'Sun, 01 Mar 2026 12:00:00 GMT')
})

const CACHES: [string, () => Promise<Cache>][] = [
  ['the cache of undici', undiciCache],
  ['make-fetch-happen', () => npmCache([])],
]

for (const [name, open] of CACHES) {
  for (const [path, header] of [
    ['/bytes', 'if-none-match'],
    ['/version', 'if-none-match'],
    ['/both', 'if-none-match'],
    ['/both', 'if-modified-since'],
    ['/date', 'if-modified-since'],
  ] as const) {
    test(`etag() answers 304 to the ${header} of ${name} at ${path}, which passes on 200 and the body`, async t => {
      const { seen, book, url } = await library(t)
      const cache = await open()
      t.teardown(cache.close)
      for (let time = 1; time <= 2; time += 1) {
        const { status, text } = await cache.send(url + path, { method: 'GET', headers: [], body: undefined })
        t.is(status, 200)
        t.deepEqual(JSON.parse(text), book)
      }
      t.deepEqual(
        seen.map(({ status }) => status),
        [200, 304],
      )
      t.truthy(seen[1]?.headers[header])
    })
  }
}

interface Page {
  en: string
  de: string
  version: number
}

/** Pages in two languages, by the tags of their bytes, by a version, and kept by the server. Writes are guarded. */
async function wiki(t: ExecutionContext) {
  const page = (): Page => ({ en: 'Hello', de: 'Hallo', version: 1 })
  const pages: Record<string, Page> = { '/bytes/1': page(), '/version/1': page(), '/kept/1': page() }
  const revalidated = new Map<string, number>()
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  const language = (ctx: BaseContext) => (ctx.get('Accept-Language') === 'de' ? 'de' : 'en')
  const at = ({ path }: BaseContext) => pages[path] as Page

  const translated = stack(noCache(), vary('Accept-Language'))
  function show(ctx: BaseContext) {
    return { text: at(ctx)[language(ctx)], version: at(ctx).version }
  }
  function write(ctx: BaseContext & { input: { body: unknown } }) {
    const { text } = ctx.input.body as { text: string }
    pages[ctx.path] = { ...at(ctx), [language(ctx)]: text, version: at(ctx).version + 1 }
    return show(ctx)
  }
  const byVersion = etag({ version: (row: { version: number }) => row.version, required: true })
  app.get('/bytes/:id', translated, etag(), json(), show)
  app.put('/bytes/:id', etag({ required: true }), json(), body(), write)
  app.get('/kept/:id', translated, cached({ version: ctx => at(ctx).version }), etag(), json(), show)
  app.put('/kept/:id', etag({ required: true }), json(), body(), write)
  app.get('/version/:id', translated, json(), byVersion, show)
  app.put('/version/:id', json(), byVersion, body(), write)
  app.after(ctx => {
    const name = ctx.get('X-Cache')
    if (ctx.status === 304) revalidated.set(name, (revalidated.get(name) ?? 0) + 1)
  })
  const { port } = await listening(t, app)
  return { pages, revalidated, url: `http://127.0.0.1:${port}` }
}

test('etag() keeps caches from passing on what is old, and lets who reads through them write', async t => {
  const { pages, revalidated, url } = await wiki(t)
  const caches = await Promise.all(CACHES.map(async ([name, open]) => ({ name, cache: await open() })))
  t.teardown(() => Promise.all(caches.map(({ cache }) => cache.close())))
  const step = fc.record({
    of: fc.constantFrom(...caches),
    path: fc.constantFrom(...Object.keys(pages)),
    language: fc.constantFrom('en' as const, 'de' as const),
    text: fc.option(fc.string({ maxLength: 5 })),
  })
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async steps => {
    for (const { of, path, language, text } of steps) {
      const headers: [string, string][] = [
        ['X-Cache', of.name],
        ['Accept-Language', language],
      ]
      const get = () => of.cache.send(url + path, { method: 'GET', headers, body: undefined })
      const { version } = pages[path] as Page
      const answers = [await get(), await get()]
      for (const got of answers) {
        t.is(got.status, 200)
        t.deepEqual(JSON.parse(got.text), { text: pages[path]?.[language], version })
      }
      if (text === null) continue
      const put = await of.cache.send(url + path, {
        method: 'PUT',
        headers: [...headers, ['Content-Type', 'application/json'], ['If-Match', answers.at(-1)?.headers.etag ?? '']],
        body: JSON.stringify({ text }),
      })
      t.is(put.status, 200, put.text)
      t.deepEqual(JSON.parse(put.text), { text, version: version + 1 })
    }
  })
  await fc.assert(property, { numRuns: 12 })
  for (const { name } of caches) t.true((revalidated.get(name) ?? 0) > 0, `${name} was never answered 304`)
})

test('cacheControl() lets caches answer by themselves while an answer is fresh', async t => {
  const counts = new Map<string, number>()
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  app.get('/:name', cacheControl({ maxAge: 600 }), etag(), ctx => {
    counts.set(ctx.params.name, (counts.get(ctx.params.name) ?? 0) + 1)
    return ctx.params.name
  })
  const { port } = await listening(t, app)
  for (const [index, [, open]] of CACHES.entries()) {
    const cache = await open()
    t.teardown(cache.close)
    const url = `http://127.0.0.1:${port}/${index}`
    for (let time = 1; time <= 3; time += 1) {
      const { status, text } = await cache.send(url, { method: 'GET', headers: [], body: undefined })
      t.deepEqual([status, text], [200, String(index)])
    }
  }
  t.deepEqual([...counts.values()], [1, 1])
})

test('cacheControl() keeps a shared cache from giving what is of one user to another', async t => {
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  app.get('/me', cacheControl({ maxAge: 600 }), etag(), ctx => `${ctx.get('Authorization')}${ctx.get('Cookie')}`)
  app.get('/news', cacheControl({ maxAge: 600, public: true }), etag(), ctx => ctx.get('Cookie'))
  const { port } = await listening(t, app)
  const cache = await undiciCache()
  t.teardown(cache.close)
  const get = async (path: string, name: string, value: string) => {
    const url = `http://127.0.0.1:${port}${path}`
    return (await cache.send(url, { method: 'GET', headers: [[name, value]], body: undefined })).text
  }
  for (const user of ['ada', 'bob', 'ada']) {
    t.is(await get('/me', 'Cookie', `user=${user}`), `user=${user}`)
    t.is(await get('/me', 'Authorization', `Bearer ${user}`), `Bearer ${user}`)
  }
  // What is said to be public is what the first one got.
  t.is(await get('/news', 'Cookie', 'user=ada'), 'user=ada')
  t.is(await get('/news', 'Cookie', 'user=bob'), 'user=ada')
})
