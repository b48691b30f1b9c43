import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { type Engine, jobs, memory, sqlite } from 'kolba/jobs'
import { until } from '../../support/jobs/watch.js'
import { MemoryLogger } from '../../support/memory-logger.js'
import { root } from '../../support/root.js'

const path = pathToFileURL(join(root, 'dist/extensions/jobs/every.js')).href
const { scheduleOf } = (await import(path)) as typeof import('../../../dist/extensions/jobs/every.js')

/** The times that follow one another, from a time on. */
function times(text: string, from: string, count: number, timezone?: string): string[] {
  const next = scheduleOf('every test', text, timezone)
  const found: string[] = []
  for (let time = Date.parse(from); found.length < count; found.push(new Date(time).toISOString())) time = next(time)
  return found.map(it => it.replace('.000Z', 'Z'))
}

const BERLIN = 'Europe/Berlin'
const schedules: [text: string, from: string, expected: string[], timezone?: string][] = [
  ['s', '2026-01-01T00:00:00.001Z', ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z']],
  ['90 sec', '2026-01-01T00:00:00Z', ['2026-01-01T00:01:30Z', '2026-01-01T00:03:00Z']],
  ['5 min', '2026-01-01T00:03:00Z', ['2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z']],
  ['5min', '2026-01-01T00:05:00Z', ['2026-01-01T00:10:00Z']],
  ['15 minutes', '2026-01-01T00:44:59.999Z', ['2026-01-01T00:45:00Z']],
  ['hour', '2026-01-01T00:03:00Z', ['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z']],
  ['6 h', '2026-01-01T00:03:00Z', ['2026-01-01T06:00:00Z', '2026-01-01T12:00:00Z']],
  ['day', '2026-03-28T12:00:00Z', ['2026-03-29T00:00:00Z', '2026-03-30T00:00:00Z']],
  ['2 days', '1970-01-01T00:00:00Z', ['1970-01-03T00:00:00Z', '1970-01-05T00:00:00Z']],
  ['*/10 * * * *', '2026-01-01T00:03:00Z', ['2026-01-01T00:10:00Z', '2026-01-01T00:20:00Z'], 'UTC'],
  ['*/10 * * * * *', '2026-01-01T00:00:03Z', ['2026-01-01T00:00:10Z', '2026-01-01T00:00:20Z'], 'UTC'],
  ['0 3 * * mon', '2026-03-20T12:00:00Z', ['2026-03-23T02:00:00Z', '2026-03-30T01:00:00Z'], BERLIN],
  ['0 0 29 2 *', '2026-01-01T00:00:00Z', ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'], 'UTC'],
  // The clock goes from 2:00 to 3:00: what stands between comes when it has.
  ['30 2 * * *', '2026-03-28T12:00:00Z', ['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'], BERLIN],
  ['*/30 * * * *', '2026-03-29T00:10:00Z', ['2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z'], BERLIN],
  // It goes from 3:00 to 2:00: what stands between comes once, and an interval goes on.
  ['30 2 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'], BERLIN],
  [
    '*/30 * * * *',
    '2026-10-25T00:10:00Z',
    ['2026-10-25T00:30:00Z', '2026-10-25T01:00:00Z', '2026-10-25T01:30:00Z'],
    BERLIN,
  ],
]

for (const [text, from, expected, timezone] of schedules) {
  test(`every('${text}'${timezone ? `, ${timezone}` : ''}) after ${from} is ${expected.join(', ')}`, t => {
    t.deepEqual(times(text, from, expected.length, timezone), expected)
  })
}

test('every() with a date is once', t => {
  const next = scheduleOf('every test', '2999-12-31T23:00:00Z', undefined)
  t.is(next(Date.now()), Date.parse('2999-12-31T23:00:00Z'))
  t.is(next(Date.parse('2999-12-31T23:00:00Z')), Number.POSITIVE_INFINITY)
})

function tidy() {}
const refused: [what: string, args: unknown[], message: string | RegExp][] = [
  [
    'what is no schedule',
    ['5 mn', tidy],
    /^every tidy: "5 mn" is neither a time such as '5 min' nor a cron expression such as '0 3 \* \* mon'\. /,
  ],
  ['a minute that there is not', ['61 * * * *', tidy], /^every tidy: "61 \* \* \* \*" is neither .*61/],
  ['a number', [5, tidy], 'every: the option schedule is 5. Give a non-empty string.'],
  ['no text', ['', tidy], 'every: the option schedule is "". Give a non-empty string.'],
  ['no time', ['0 min', tidy], "every tidy: 0 min is no time. Give one like '5 min'."],
  ['what never comes', ['0 0 31 2 *', tidy], 'every tidy: the time "0 0 31 2 *" never comes.'],
  ['what is over', ['2001-01-01T00:00:00Z', tidy], 'every tidy: the time "2001-01-01T00:00:00Z" never comes.'],
  [
    'a time zone that there is not',
    ['0 3 * * *', tidy, { timezone: 'Mars/Olympus' }],
    `every tidy: there is no time zone "Mars/Olympus". Give one of the IANA's, such as 'Europe/Berlin'.`,
  ],
  [
    'a time zone for an interval',
    ['5 min', tidy, { timezone: BERLIN }],
    'every tidy: an interval has no time zone. Give a cron expression.',
  ],
  [
    'a handler without a name',
    ['5 min', () => {}],
    "every 5 min: the handler has no name. Give one: { name: 'tidy up' }.",
  ],
  ['no handler', ['5 min'], 'every: this is no function. Give one that takes ctx.'],
  ['no function', ['5 min', 1, { name: 'one' }], 'every one: this is no function. Give one that takes ctx.'],
  [
    'an option that it has not',
    ['5 min', tidy, { zone: BERLIN }],
    'every tidy: the option "zone" is unknown. It takes retry, timeout, concurrency, limit and keep.',
  ],
]

for (const [what, args, message] of refused) {
  test(`every() refuses ${what}`, t => {
    t.throws(() => jobs().every(...(args as [string, () => void])), { instanceOf: TypeError, message })
  })
}

test('every() refuses a name that is taken', t => {
  const work = jobs()
  work.every('5 min', tidy)
  work.every('5 min', tidy, { name: 'tidy more' })
  const message = 'every tidy: there is one of this name. Give another name.'
  t.throws(() => work.every('1 h', tidy), { instanceOf: TypeError, message })
})

test('every() with a cron expression and without croner says how to install it, and intervals need none', async t => {
  const code = `
    import Module from 'node:module'
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (name, ...rest) {
      if (name === 'croner') throw new Error('not found')
      return resolve.call(this, name, ...rest)
    }
    const { jobs } = await import('kolba/jobs')
    jobs().every('5 min', function tidy() {})
    try { jobs().every('0 3 * * *', function tidy() {}) } catch (error) { console.log(String(error)) }`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: root })
  t.is(stdout, "TypeError: every tidy: cron expressions need croner. Run npm install croner, or say '5 min'.\n")
})

function open(t: ExecutionContext, engine: Engine = memory()) {
  const logger = new MemoryLogger()
  const work = jobs({ engine, logger })
  t.teardown(() => work.close(0))
  return { work, logger, engine }
}

function file(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-every-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'jobs.db')
}

test('every() does it at each time, which the handler is given, from start() to close()', async t => {
  const { work } = open(t)
  const seen: { time: Date; at: number }[] = []
  work.every('1 s', ({ time }) => void seen.push({ time, at: Date.now() }), { name: 'tick' })
  t.is(seen.length, 0)
  await work.start()
  await until(() => seen.length >= 3 || undefined)
  await work.close()
  const { length } = seen
  for (const { time, at } of seen) {
    t.is(time.getTime() % 1000, 0)
    t.true(at >= time.getTime(), `It came at ${at}, before ${time.getTime()}.`)
  }
  t.is(new Set(seen.map(({ time }) => time.getTime())).size, length)
  await new Promise(resolve => setTimeout(resolve, 1100))
  t.is(seen.length, length)
})

test('every() in several processes does it once at each time', async t => {
  const its = file(t)
  const seen: string[] = []
  for (let count = 0; count < 3; count++) {
    const { work } = open(t, sqlite(its))
    work.every('1 s', ({ time }) => void seen.push(time.toISOString()), { name: 'tick' })
    await work.start()
  }
  await until(() => seen.length >= 4 || undefined)
  t.deepEqual(seen, [...new Set(seen)])
})

test('every() makes up for a time that came while nothing was running', async t => {
  const its = file(t)
  const first = open(t, sqlite(its))
  first.work.every('2 s', () => t.fail('It is not time.'), { name: 'tick' })
  // It begins right behind a time, so that the next one is some way off.
  await until(() => Date.now() % 2000 < 500 || undefined)
  await first.work.start()
  await until(async () => (await first.engine.waiting('every tick')) === 1 || undefined)
  await first.work.close()
  const due = Math.ceil(Date.now() / 2000) * 2000
  await new Promise(resolve => setTimeout(resolve, due - Date.now() + 50))
  const { work } = open(t, sqlite(its))
  const seen: number[] = []
  work.every('2 s', ({ time }) => void seen.push(time.getTime()), { name: 'tick' })
  await work.start()
  await until(() => seen.length >= 1 || undefined)
  t.is(seen[0], due)
})

test('every() leaves out the times that come while the last is not done', async t => {
  const { work, logger, engine } = open(t)
  let go = () => {}
  const gone = new Promise<void>(resolve => {
    go = resolve
  })
  const seen: number[] = []
  work.every('1 s', async ({ time }) => gone.then(() => seen.push(time.getTime())), { name: 'slow' })
  await work.start()
  const { message, level } = await until(() => logger.lines.find(({ message }) => message?.includes('left out')))
  t.is(level, 'warn')
  t.regex(message as string, /^jobs: every slow is left out at 20\S+Z, because the last is not done\.$/)
  t.is(await engine.waiting('every slow'), 2)
  go()
  await until(() => seen.length >= 3 || undefined)
  t.deepEqual(seen, [...new Set(seen)])
})

test('every() tries again where the engine fails, and says so', async t => {
  const engine = memory()
  let failures = 1
  const failing = {
    ...engine,
    add: async (job: never) => {
      if (failures-- > 0) throw new Error('The disk is full.')
      return engine.add(job)
    },
  }
  const { work, logger } = open(t, failing)
  let runs = 0
  work.every('1 s', () => void runs++, { name: 'tick' })
  await work.start()
  await until(() => runs || undefined)
  const [line] = logger.lines.filter(({ level }) => level === 'error')
  t.is(line?.message, 'jobs: the next every tick could not be added. It is tried again.')
  t.is(String(line?.fields.err?.cause), 'Error: The disk is full.')
})
