import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { kolba, problem } from 'kolba'
import { type JobState, jobs } from 'kolba/jobs'
import type { app as imports } from '../../examples/import.js'
import { uploads } from '../../examples/upload.js'
import { testChromium } from '../support/chromium.js'
import { MemoryLogger } from '../support/memory-logger.js'
import { startProgram } from '../support/program.js'
import { exchange, listening } from '../support/raw.js'
import { root } from '../support/root.js'

const ALL = 135_233
const data = mkdtempSync(join(tmpdir(), 'kolba-import-'))
const sample = join(data, 'cities.csv')
let app: typeof imports
let base = ''

test.before(async () => {
  process.env.DATA = data
  app = (await import('../../examples/import.js')).app
  app.logger = new MemoryLogger()
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const response = await fetch(`${base}/cities.csv`)
  writeFileSync(sample, Buffer.from(await response.arrayBuffer()))
})

test.after.always(async () => {
  await app.close()
  rmSync(data, { recursive: true, force: true })
})

/** Uploads a file: the URL of its job. */
async function begin(content: BodyInit, server = base): Promise<string> {
  const response = await fetch(`${server}/imports`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/csv' },
    body: content,
  })
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`)
  return server + response.headers.get('location')
}

/** The states of a job as they come, until it has ended. */
async function* statesOf(job: string): AsyncGenerator<JobState> {
  const response = await fetch(job, { headers: { Accept: 'text/event-stream' } })
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const events = (text + Buffer.from(chunk)).split('\n\n')
    text = events.pop() as string
    for (const event of events) {
      const [, state] = /^data: (.*)$/m.exec(event) ?? []
      if (state) yield JSON.parse(state)
    }
  }
}

const shareOf = ({ progress }: JobState) => {
  const { done, total } = Object(progress) as { done?: number; total?: number }
  return done === undefined ? 0 : done / (total as number)
}

/** Cancels a job when a third of it is done. */
async function cancelHalfway(job: string): Promise<JobState | undefined> {
  let last: JobState | undefined
  let status: Promise<number> | undefined
  for await (const state of statesOf(job)) {
    last = state
    if (shareOf(state) > 0.33) status ??= fetch(job, { method: 'DELETE' }).then(response => response.status)
  }
  if ((await status) !== 204) throw new Error(`It was not cancelled: ${await status}`)
  return last
}

async function countOf(query = '', server = base): Promise<number> {
  const { meta } = (await (await fetch(`${server}/cities?per_page=1${query}`)).json()) as { meta: { total: number } }
  return meta.total
}

/** Waits until something holds, for at most a minute. */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`Not in a minute: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

const isEmpty = () => readdirSync(join(data, 'uploads')).length === 0
const idOf = (job: string) => job.split('/').at(-1) as string

test('import.ts has at most 80 lines', t => {
  t.true(readFileSync(join(root, 'examples/import.ts'), 'utf8').trimEnd().split('\n').length <= 80)
})

test.serial(
  'an import tells how far it is, lets others be answered meanwhile, and leads to what it has made',
  async t => {
    t.timeout(120_000)
    const job = await begin(readFileSync(sample))
    const shares: number[] = []
    const counts = new Set<number>()
    let slowest = 0
    let last: JobState | undefined
    for await (const state of statesOf(job)) {
      last = state
      shares.push(shareOf(state))
      if (state.state !== 'running') continue
      const start = performance.now()
      counts.add(await countOf())
      slowest = Math.max(slowest, performance.now() - start)
    }
    t.log(`${shares.length} states, the slowest of the answers meanwhile took ${slowest.toFixed(0)} ms`)
    t.true(slowest < 2000)
    // What is half done, nobody sees.
    counts.delete(ALL)
    t.deepEqual([...counts], [0])
    t.true(new Set(shares).size > 5)
    t.deepEqual(
      shares,
      shares.toSorted((one, other) => one - other),
    )
    t.like(last, { state: 'succeeded', progress: { message: '135,233 cities' } })
    t.deepEqual(last?._links.result, { href: `/imports/${idOf(job)}` })

    const response = await fetch(job)
    t.true(response.redirected)
    const made = (await response.json()) as Record<string, unknown>
    t.like(made, { id: idOf(job), count: ALL, _links: { cities: `/cities?import=${idOf(job)}` } })
    t.is(await countOf(`&import=${idOf(job)}`), ALL)
    t.true(isEmpty())

    const found = await fetch(`${base}/cities?name=Z%C3%BCrich&fields=name,country,population&import=${idOf(job)}`)
    t.like(await found.json(), { items: [{ name: 'Zürich', country: 'CH' }] })
  },
)

test.serial('an import that is cancelled halfway leaves no row, and those before as they were', async t => {
  t.timeout(120_000)
  const before = await countOf()
  const job = await begin(readFileSync(sample))
  t.like(await cancelHalfway(job), { state: 'cancelled' })
  t.is(await countOf(`&import=${idOf(job)}`), 0)
  t.is(await countOf(), before)
  t.is((await fetch(`${base}/imports/${idOf(job)}`)).status, 404)
  await until(isEmpty, 'the file is removed')
})

const HEADER = 'id,name,country,population,longitude,latitude'
const GOOD = '1,Springfield,US,3,1.5,-2.5'
const faults: Record<string, [content: string, detail: RegExp]> = {
  'a number that is none': [`${HEADER}\n${GOOD}\n2,Emerald City,OZ,many,0,0\n`, /^Line 3: population: Expected/],
  'an empty number': [`${HEADER}\n2,Emerald City,OZ,0,,0\n`, /^Line 2: longitude: Expected/],
  'a place that there is not': [`${HEADER}\n2,"Emerald\nCity",OZ,0,0,91\n`, /^Line 3: latitude: Expected/],
  'a column too few': [`${HEADER}\n${GOOD}\n${GOOD}\n2,Emerald City\n`, /\bon line 4\b/],
  'a quote that is not closed': [`${HEADER}\n${GOOD}\n2,"Emerald`, /\bline 3\b/],
  'other columns': ['number,place\n1,Springfield\n', /^Line 2: id: Expected/],
}

for (const [title, [content, detail]] of Object.entries(faults)) {
  test.serial(`an import of ${title} is a problem that names the line, and keeps nothing`, async t => {
    const job = await begin(content)
    for await (const _ of statesOf(job));
    const response = await fetch(job)
    t.is(response.status, 422)
    const problem = (await response.json()) as { detail: string; instance: string }
    t.regex(problem.detail, detail)
    t.is(problem.instance, new URL(job).pathname)
    t.is(await countOf(`&import=${idOf(job)}`), 0)
    t.true(isEmpty())
  })
}

test.serial('an import of no rows is done at once', async t => {
  const job = await begin(`\ufeff${HEADER}\r\n`)
  for await (const _ of statesOf(job));
  t.like(await (await fetch(job)).json(), { count: 0 })
})

test('an upload of another type is 415, past the limit 413, and broken off or empty 400, and leaves no file', async t => {
  const folder = mkdtempSync(join(data, 'own-'))
  const own = kolba({ signals: false, logger: new MemoryLogger() })
  const { kept } = uploads(folder, 'text/csv', 1000)
  own.post('/', kept, ({ file }) => readFileSync(file, 'utf8').length)
  own.post('/fails', kept, () => {
    throw new Error('oops')
  })
  const { port } = await listening(t, own)
  const send = async (head: string, content: string, path = '/') => {
    const lines = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${head}\r\n\r\n${content}`
    const [answer] = await exchange(port, lines)
    return answer
  }
  const csv = 'Content-Type: text/csv\r\n'
  const long = 'x'.repeat(1001)
  t.like(await send(`${csv}Content-Length: 3`, 'abc'), { status: 200, body: '3' })
  t.is(readdirSync(folder).length, 1)
  const statuses = [
    await send('Content-Type: text/plain\r\nContent-Length: 3', 'abc'),
    await send(`${csv}Content-Encoding: gzip\r\nContent-Length: 3`, 'abc'),
    await send(`${csv}Content-Length: 1001`, long),
    await send(`${csv}Transfer-Encoding: chunked`, `3e9\r\n${long}\r\n0\r\n\r\n`),
    await send(`${csv}Content-Length: 0`, ''),
    await send(`${csv}Transfer-Encoding: chunked`, '0\r\n\r\n'),
    await send(`${csv}Content-Length: 3`, 'abc', '/fails'),
  ].map(answer => answer?.status)
  t.deepEqual(statuses, [415, 415, 413, 413, 400, 400, 500])
  t.is(readdirSync(folder).length, 1)

  const abort = new AbortController()
  const body = new ReadableStream({
    start: controller => controller.enqueue(Buffer.from('abc')),
  })
  const headers = { 'Content-Type': 'text/csv' }
  const init = { method: 'POST', headers, body, duplex: 'half', signal: abort.signal }
  const sending = fetch(`http://127.0.0.1:${port}/`, init as RequestInit)
  await until(() => readdirSync(folder).length === 2, 'the upload begins')
  abort.abort()
  await t.throwsAsync(sending, { any: true })
  await until(() => readdirSync(folder).length === 1, 'what was broken off is removed')
})

test('an upload stays while its job may be begun again, and goes when that is over', async t => {
  const folder = mkdtempSync(join(data, 'own-'))
  const own = kolba({ signals: false, logger: new MemoryLogger(), timeouts: { drain: 0.1 } })
  const work = jobs({ retry: { attempts: 2, delay: 0.1 } })
  const { kept, removed } = uploads(folder, 'text/csv', 1000)
  const outcomes: (() => unknown)[] = []
  own.mount('/jobs', work.routes)
  own.post('/', kept, work.background(), removed, ({ file, signal }) => {
    t.is(readFileSync(file, 'utf8'), 'abc')
    const outcome = outcomes.shift()
    return outcome ? outcome() : once(signal, 'abort').then(() => signal.throwIfAborted())
  })
  const client = own.client()
  const send = async () => {
    const response = await client.post('/', { headers: { 'Content-Type': 'text/csv' }, body: 'abc' })
    return response.headers.get('location') as string
  }
  const end = async (job: string) => (await client.get(job, { headers: { Prefer: 'wait=20' } })).status
  const fail = () => {
    throw new Error('oops')
  }

  outcomes.push(fail, () => 'done')
  t.is(await end(await send()), 200)
  t.deepEqual(readdirSync(folder), [])
  outcomes.push(() => problem(409))
  t.is(await end(await send()), 409)
  t.deepEqual(readdirSync(folder), [])

  const cancelled = await send()
  await until(async () => /running/.test(await (await client.get(cancelled)).text()), 'it runs')
  t.is((await client.delete(cancelled)).status, 204)
  await until(() => readdirSync(folder).length === 0, 'the file of one that was cancelled is removed')

  const last = await send()
  await until(async () => /running/.test(await (await client.get(last)).text()), 'it runs')
  await own.close()
  t.is(readdirSync(folder).length, 1)
})

test('uploads of long ago are swept, the others stay', async t => {
  const folder = mkdtempSync(join(data, 'own-'))
  const { sweep } = uploads(folder, 'text/csv', 1000)
  writeFileSync(join(folder, 'one'), '')
  await sweep(60)
  t.deepEqual(readdirSync(folder), ['one'])
  await new Promise(resolve => setTimeout(resolve, 20))
  await sweep(0.01)
  t.deepEqual(readdirSync(folder), [])
})

test.serial('an import goes on when its process was killed', async t => {
  t.timeout(120_000)
  const folder = mkdtempSync(join(data, 'killed-'))
  const env = { DATA: folder, PORT: '4712' }
  const file = join(root, 'build/examples/import.js')
  const lines = readFileSync(sample, 'utf8').split('\n')
  const first = await startProgram(file, { env })
  const url = (program: typeof first) => program.real('http://localhost:4712')
  const job = await begin(lines.slice(0, 40_001).join('\n'), url(first))
  for await (const state of statesOf(job)) {
    if (shareOf(state) > 0.2) break
  }
  await first.stop()

  const second = await startProgram(file, { env })
  t.teardown(() => second.stop())
  t.is(await countOf('', url(second)), 0)
  const again = url(second) + new URL(job).pathname
  let last: JobState | undefined
  for await (const state of statesOf(again)) last = state
  t.like(last, { state: 'succeeded', attempts: 2 })
  t.is(await countOf(`&import=${idOf(job)}`, url(second)), 40_000)
  t.deepEqual(readdirSync(join(folder, 'uploads')), [])
})

testChromium('the page of imports shows one that moves, and cancels another', async (t, browser) => {
  t.timeout(120_000)
  const page = await browser.newPage()
  page.setDefaultTimeout(60_000)
  const errors: unknown[] = []
  page.on('pageerror', error => errors.push(error))
  await page.goto(base)
  const textOf = (selector: string) => page.$eval(selector, it => it.textContent)
  const status = (pattern: RegExp) =>
    page.waitForFunction(`${pattern}.test(document.querySelector('#status').textContent)`)
  const input = await page.$<'input'>('#file' as 'input')
  const idHere = () => idOf(new URL(page.url()).hash)

  await input?.uploadFile(sample)
  await page.click('#import')
  // In the page, because each look from here takes a while.
  const seen = (await page.evaluate(`new Promise(resolve => {
    const bar = document.querySelector('#bar')
    const values = new Set()
    setInterval(() => {
      if (bar.hasAttribute('value')) values.add(bar.value)
      if (bar.value === 1) resolve([...values])
    }, 20)
  })`)) as number[]
  t.true(seen.length > 5)
  t.deepEqual(
    seen,
    seen.toSorted((one, other) => one - other),
  )
  await status(/^135,233 cities were imported\.$/)
  t.is(await countOf(`&import=${idHere()}`), ALL)
  t.is(await page.$eval('#cities', it => it.getAttribute('href')), `/cities?import=${idHere()}`)
  t.true(await page.$eval('#cancel', it => it.matches('[hidden]')))

  const whole = idHere()
  await page.click('#import')
  await page.waitForFunction('document.querySelector("#bar").value > 0.3 && document.querySelector("#bar").value < 1')
  await page.waitForSelector('#cancel:not([hidden])')
  // Where it is watched is in the URL.
  await page.reload()
  await page.waitForSelector('#cancel:not([hidden])')
  await page.click('#cancel')
  await status(/^Cancelled\. Nothing of it was kept\.$/)
  t.not(idHere(), whole)
  t.is(await countOf(`&import=${idHere()}`), 0)
  t.is(await countOf(`&import=${whole}`), ALL)

  const wrong = join(data, 'wrong.csv')
  writeFileSync(wrong, `${HEADER}\n${GOOD}\n2,Emerald City,OZ,many,0,0\n`)
  await (await page.$<'input'>('#file' as 'input'))?.uploadFile(wrong)
  await page.click('#import')
  await status(/^Line 3: population: Expected a whole number/)
  t.is(await textOf('#figures'), '')
  t.deepEqual(errors, [])
})
