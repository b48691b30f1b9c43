import { setImmediate as soon } from 'node:timers/promises'
import test from 'ava'
import { blueprint, type Kolba, kolba, problem } from 'kolba'
import { body } from 'kolba/body'
import { cacheControl, cached, invalidate } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { deprecated } from 'kolba/lifecycle'
import { csv, languages, produces } from 'kolba/negotiate'
import { patch } from 'kolba/patch'
import { prefer } from 'kolba/prefer'
import { MemoryLogger } from '../support/memory-logger.ts'

// What the decorators of HTTP do where a user puts all of them on one blueprint.

interface Book {
  id: string
  title: string
  rev: number
}

/** A blueprint that is mounted, with everything on it; `runs` counts what the handlers of GET were asked. */
function library() {
  const shelf = new Map<string, Book>([['7', { id: '7', title: 'Emma', rev: 1 }]])
  const logger = new MemoryLogger()
  const its = { shelf, logger, runs: 0 }
  const tagged = etag({
    version: (found: Book | Book[]) =>
      [found]
        .flat()
        .map(({ rev }) => rev)
        .join('.'),
  })
  const says = produces({ 'application/json': true, 'text/csv': csv() }, { format: true, suffix: true })
  const kept = cached({ ttl: 1000 })
  const put = async (id: string, title: string) => {
    await soon()
    const book = { id, title, rev: (shelf.get(id)?.rev ?? 0) + 1 }
    shelf.set(id, book)
    return book
  }
  const leaving = deprecated({ since: '2026-01-01', sunset: '2027-01-01', successor: '/v2/books' })
  const books = blueprint('books', leaving, prefer(), cacheControl({ maxAge: 10 }), languages('en', 'de'))
  books.get('/', kept, tagged, says, () => {
    its.runs += 1
    return [...shelf.values()]
  })
  books.get('/:id', kept, tagged, says, ctx => {
    its.runs += 1
    return shelf.get(ctx.params.id) ?? problem(404)
  })
  books.put('/:id', invalidate('/v1/books'), tagged, says, body(), ctx =>
    put(ctx.params.id, (ctx.input.body as Book).title),
  )
  books.patch('/:id', invalidate('/v1/books'), tagged, says, patch(), ctx =>
    put(ctx.params.id, (ctx.patched as Book).title),
  )
  const app = kolba({ logger, signals: false })
  app.mount('/v1/books', books)
  return { app, its }
}

async function ask(app: Kolba, method: string, path: string, headers: Record<string, string> = {}, content?: unknown) {
  const type = { PUT: 'application/json', PATCH: 'application/merge-patch+json' }[method]
  const response = await app.client().fetch(`/v1${path}`, {
    method,
    headers: { ...(type && { 'Content-Type': type }), ...headers },
    ...(content !== undefined && { body: JSON.stringify(content) }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

test('all of them together read once, and answer each client in its own way', async t => {
  const { app, its } = library()
  const first = await ask(app, 'GET', '/books/7')
  t.is(first.text, '{"id":"7","title":"Emma","rev":1}')
  t.like(Object.fromEntries(first.headers), {
    etag: '"1;application/json;en"',
    'cache-control': 'max-age=10',
    'content-language': 'en',
    deprecation: '@1767225600',
    sunset: 'Fri, 01 Jan 2027 00:00:00 GMT',
    link: '</v2/books>; rel="successor-version"',
    vary: 'Prefer, Accept-Language, Accept',
  })
  const again = await ask(app, 'GET', '/books/7', {
    'If-None-Match': '"1;application/json;en"',
    'Accept-Language': 'en',
  })
  t.is(again.status, 304)
  const asCsv = await ask(app, 'GET', '/books/7', { Accept: 'text/csv', 'If-None-Match': '"1;application/json;en"' })
  t.deepEqual([asCsv.status, asCsv.headers.get('etag')], [200, '"1;text/csv;en"'])
  t.is((await ask(app, 'GET', '/books/7.csv')).text, asCsv.text)
  const inGerman = { 'Accept-Language': 'de', 'If-None-Match': '"1;application/json;en"' }
  t.is((await ask(app, 'GET', '/books/7', inGerman)).headers.get('content-language'), 'de')
  // One for each: JSON, JSON to who says en, CSV by Accept, CSV by the path, JSON in German.
  t.is(its.runs, 5)
  for (const headers of [{}, { Accept: 'text/csv' }, { 'Accept-Language': 'de' }]) {
    const { status, headers: its } = await ask(app, 'GET', '/books/7', headers)
    t.deepEqual([status, its.has('age'), its.get('link')], [200, false, '</v2/books>; rel="successor-version"'])
  }
  t.is((await ask(app, 'HEAD', '/books/7')).headers.get('content-length'), String(first.text.length))
  t.is(its.runs, 5)
  t.is((await ask(app, 'GET', '/books/7', { 'If-Match': '"2"' })).status, 412)
  t.is((await ask(app, 'GET', '/books/8', { 'If-None-Match': '*' })).status, 404)
  t.is((await ask(app, 'GET', '/books', { Accept: 'image/png', 'If-None-Match': '*' })).status, 406)
  t.deepEqual(its.logger.lines, [])
})

test('all of them together guard what is written, and give nobody what was before', async t => {
  const { app, its } = library()
  const minimal = { Prefer: 'return=minimal', 'If-Match': '"1;text/csv;de"' }
  for (const path of ['/books', '/books/7', '/books/7.csv']) await ask(app, 'GET', path)
  const put = await ask(app, 'PUT', '/books/7', minimal, { title: 'Persuasion' })
  t.deepEqual([put.status, put.text], [204, ''])
  t.like(Object.fromEntries(put.headers), {
    etag: '"2;application/json;en"',
    'preference-applied': 'return=minimal',
    'cache-control': undefined,
    'content-type': undefined,
  })
  t.is((await ask(app, 'PUT', '/books/7', minimal, { title: 'Sanditon' })).status, 412)
  const patched = await ask(
    app,
    'PATCH',
    '/books/7',
    { 'If-Match': '"2"', Accept: 'text/csv' },
    { title: 'Lady Susan' },
  )
  t.deepEqual([patched.status, patched.text], [200, 'id,title,rev\r\n7,Lady Susan,3\r\n'])
  for (const path of ['/books', '/books/7', '/books/7.csv', '/books?format=csv'])
    t.regex((await ask(app, 'GET', path)).text, /Lady Susan/, path)
  const made = await ask(app, 'PUT', '/books/8', { 'If-None-Match': '*' }, { title: 'Emma' })
  t.deepEqual([made.status, made.headers.get('etag')], [200, '"1;application/json;en"'])
  t.is((await ask(app, 'PUT', '/books/8', { 'If-None-Match': '*' }, { title: 'Emma' })).status, 412)
  t.regex((await ask(app, 'GET', '/books')).text, /"rev":3.*"rev":1/)
  t.deepEqual(its.logger.lines, [])
})

test('all of them together let one of 90 writes through, by PUT and PATCH, at each way to write the path', async t => {
  const { app, its } = library()
  const ways = ['/books/7', '/books/7.csv', '/books/7.json', '/books/7/', '/books/7?format=json']
  const write = (index: number) =>
    ask(app, index % 2 ? 'PUT' : 'PATCH', ways[index % ways.length] as string, { 'If-Match': '"1"' }, { title: 'x' })
  const answers = await Promise.all(Array.from({ length: 90 }, (_, index) => write(index)))
  t.is(its.shelf.get('7')?.rev, 2)
  t.deepEqual(answers.map(({ status }) => status).filter(it => it !== 412).length, 1)
  t.deepEqual(its.logger.lines, [])
})
