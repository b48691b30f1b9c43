import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Engine } from '../../../dist/extensions/jobs/engine.js'
import { until } from '../../support/engine-suite.js'
import { forked } from '../../support/forked.js'
import { newJob } from '../../support/new-job.js'
import { root } from '../../support/root.js'

const load = (name: string) => import(pathToFileURL(join(root, `dist/extensions/jobs/${name}.js`)).href)
const { sqlite } = (await load('sqlite')) as typeof import('../../../dist/extensions/jobs/sqlite.js')
const { openDatabase } = (await load(
  'sqlite/driver',
)) as typeof import('../../../dist/extensions/jobs/sqlite/driver.js')
const { SQL } = (await load('sqlite/statements')) as typeof import('../../../dist/extensions/jobs/sqlite/statements.js')

const program = fileURLToPath(new URL('../../support/engine-process.js', import.meta.url))
const DAY = 86_400_000
const TASK = 'POST /reports'

function inFolder(run: (t: ExecutionContext, folder: string) => Promise<void>) {
  return async (t: ExecutionContext) => {
    t.timeout(120_000)
    const folder = mkdtempSync(join(tmpdir(), 'kolba-sqlite-'))
    try {
      await run(t, folder)
    } finally {
      for (const child of children.splice(0)) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, maxRetries: 5 })
    }
  }
}

const children: ChildProcess[] = []

async function withEngine(file: string, run: (engine: Engine) => Promise<unknown>, options = {}): Promise<void> {
  const engine = sqlite(file, options)
  await engine.open()
  try {
    await run(engine)
  } finally {
    await engine.close()
  }
}

/** What is in the file, as any program would read it. */
function rowsOf(file: string, sql: string) {
  const database = openDatabase(file)
  const rows = database.prepare(sql).all()
  database.close()
  return rows
}

test('sqlite() refuses what is no path of a file', t => {
  const messageOf = (file: unknown) => t.throws(() => sqlite(file as string), { instanceOf: TypeError }).message
  for (const file of [undefined, '', ' ', 5])
    t.is(messageOf(file), "sqlite: this is no path. Give one of a file, sqlite('jobs.db').")
  for (const file of [':memory:', 'file::memory:?cache=shared', 'file:jobs?mode=memory'])
    t.is(
      messageOf(file),
      'sqlite: jobs in memory are lost with the process. Give the path of a file, or take memory().',
    )
  for (const file of ['file:jobs.db', 'libsql://host', 'https://host/jobs.db'])
    t.is(messageOf(file), `sqlite: "${file}" is a URL. Give the path of a file, sqlite('jobs.db').`)
  t.is(sqlite('C:\\jobs.db').name, 'sqlite')
})

test('sqlite() refuses a wrong option', t => {
  t.throws(() => sqlite('jobs.db', { driver: 'pg' as never }), {
    instanceOf: TypeError,
    message: 'sqlite: the option driver is "pg". Give one of "node:sqlite" and "libsql".',
  })
  t.throws(() => sqlite('jobs.db', { timeout: 0 }), {
    instanceOf: TypeError,
    message: 'sqlite: the option timeout is 0. Give a number of seconds above 0.',
  })
  t.throws(() => sqlite('jobs.db', { wal: true } as never), {
    instanceOf: TypeError,
    message: 'sqlite: the option "wal" is unknown. It takes driver and timeout.',
  })
})

for (const [driver, said] of [
  ["{ driver: 'libsql' }", 'TypeError: sqlite: the driver libsql is a package. Run npm install libsql.'],
  [
    '{}',
    `TypeError: sqlite: Node ${process.versions.node} has no SQLite of its own. Run npm install libsql, or Node 22.13 or newer.`,
  ],
] as const) {
  test(`open() without what opens a file says how to get it, with ${driver}`, t => {
    const code = `
      import Module from 'node:module'
      const resolve = Module._resolveFilename
      Module._resolveFilename = function (name, ...rest) {
        if (name === 'libsql') throw new Error('not found')
        return resolve.call(this, name, ...rest)
      }
      process.getBuiltinModule = undefined
      const { sqlite } = await import('./dist/extensions/jobs/sqlite.js')
      await sqlite('build/never.db', ${driver}).open().catch(error => console.log(String(error)))`
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' })
    t.is(printed.trim(), said)
    t.false(existsSync(join(root, 'build/never.db')))
  })
}

test.serial('sqlite() prints nothing, and leaves warnings to whoever asks for them', async t => {
  const code = `
    const { sqlite } = await import('./dist/extensions/jobs/sqlite.js')
    const { mkdtempSync } = await import('node:fs')
    const engine = sqlite(mkdtempSync(process.argv[1]) + '/jobs.db')
    await engine.open()
    await engine.close()
    process.emitWarning('heard')`
  const folder = mkdtempSync(join(tmpdir(), 'kolba-sqlite-'))
  const args = ['--input-type=module', '-e', code, join(folder, 'x')]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  t.is(stdout, '')
  t.deepEqual(stderr.match(/\w*Warning: .*/g), ['Warning: heard'])
  rmSync(folder, { recursive: true })
})

test('open() refuses node:sqlite where Node has none', async t => {
  if (isBuiltin('node:sqlite')) return t.notThrows(() => sqlite('jobs.db', { driver: 'node:sqlite' }))
  await t.throwsAsync(sqlite(join(tmpdir(), 'never.db'), { driver: 'node:sqlite' }).open(), {
    instanceOf: TypeError,
    message: `sqlite: Node ${process.versions.node} has no node:sqlite. Run 22.13 or newer, or use libsql.`,
  })
})

test.serial(
  'open() refuses a folder that is not there',
  inFolder(async (t, folder) => {
    const missing = join(folder, 'data')
    await t.throwsAsync(sqlite(join(missing, 'jobs.db')).open(), {
      message: `sqlite: there is no folder ${missing}. Make it, or give another file.`,
    })
    t.false(existsSync(missing))
  }),
)

test.serial(
  'open() refuses what is no database, and leaves it as it is',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    const text = 'This is a letter, and no database. '.repeat(100)
    writeFileSync(file, text)
    const error = await t.throwsAsync(sqlite(file).open())
    t.true(error?.message.startsWith(`sqlite: ${file} cannot be opened: `), error?.message)
    t.true(error?.cause instanceof Error)
    t.is(readFileSync(file, 'utf8'), text)
    await t.throwsAsync(sqlite(folder).open(), { message: /^sqlite: .* cannot be opened: / })
  }),
)

test.serial(
  'open() refuses the tables of a newer version',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    await withEngine(file, async () => {})
    rowsOf(file, 'UPDATE kolba_jobs_schema SET version = 2 RETURNING version')
    await t.throwsAsync(sqlite(file).open(), {
      message: `sqlite: the tables in ${file} are of version 2, and this kolba knows 1. Update it, or take another file.`,
    })
  }),
)

test.serial('what is asked before open() or after close() is refused', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-sqlite-'))
  const file = join(folder, 'jobs.db')
  const engine = sqlite(file)
  const message = `sqlite: ${file} is not open. Call open() first, and nothing after close().`
  await t.throwsAsync(engine.add(newJob()), { message })
  await t.throwsAsync(engine.get('1'), { message })
  t.throws(() => engine.watch(() => {}), { message })
  await engine.close()
  await engine.open()
  await engine.close()
  await t.throwsAsync(engine.claim('t', 1), { message })
  await t.throwsAsync(engine.list('me')[Symbol.asyncIterator]().next(), { message })
  rmSync(folder, { recursive: true })
})

test.serial(
  'open() makes the tables once where many open at one time',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    const children = Array.from({ length: 4 }, (_, index) => start(file, join(folder, `${index}`)))
    const here = Array.from({ length: 10 }, () => sqlite(file))
    await Promise.all([...here.map(it => it.open()), ...children.map(ready)])
    for (const [index, engine] of here.entries()) await engine.add(newJob({ owner: 'me', task: `${index}` }))
    for (const child of children) child.send('go')
    const codes = await Promise.all(children.map(ended))
    t.deepEqual(codes, [0, 0, 0, 0])
    for (const engine of here) await engine.close()
    t.deepEqual(
      rowsOf(file, 'SELECT version FROM kolba_jobs_schema').map(({ version }) => version),
      [1],
    )
    t.is(rowsOf(file, 'SELECT id FROM kolba_jobs').length, 10)
  }),
)

test.serial(
  'sqlite() keeps jobs in the database of the app, beside its tables',
  inFolder(async (t, folder) => {
    const file = join(folder, 'app.db')
    rowsOf(file, 'PRAGMA user_version = 42')
    const app = openDatabase(file)
    app.exec('CREATE TABLE jobs (id INTEGER PRIMARY KEY); INSERT INTO jobs VALUES (1)')
    await withEngine(file, async engine => {
      const added = await engine.add(newJob({ owner: 'me', keys: [{ text: 'k', until: 'ended' }] }))
      app.exec('INSERT INTO jobs VALUES (2)')
      t.true(added !== 'full' && added.isNew)
    })
    t.is(app.prepare('SELECT count(*) AS count FROM jobs').get()?.count, 2)
    t.is(app.prepare('PRAGMA user_version').get()?.user_version, 42)
    const names = app.prepare("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> 'jobs'").all()
    t.true(names.length > 5 && names.every(({ name }) => /^kolba_jobs(?:_|$)/.test(String(name))))
    app.close()
  }),
)

test.serial(
  'sqlite() has every change on the disk: a write-ahead log, and a full sync',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    await withEngine(file, async engine => {
      await engine.add(newJob())
      t.true(statSync(`${file}-wal`).size > 0)
    })
    t.is(rowsOf(file, 'PRAGMA journal_mode')[0]?.journal_mode, 'wal')
    t.deepEqual(rowsOf(file, 'PRAGMA integrity_check').flatMap(Object.values), ['ok'])
  }),
)

test.serial(
  'one that fails takes none of those along that came with it',
  inFolder(async (t, folder) => {
    await withEngine(join(folder, 'jobs.db'), async engine => {
      const twice = newJob({ keys: [{ text: 'k', until: 'ended' }] })
      const jobs = [newJob(), twice, newJob(), { ...twice, keys: [] }, newJob()]
      const outcomes = await Promise.allSettled(jobs.map(job => engine.add(job)))
      t.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
      )
      t.regex(String((outcomes[3] as PromiseRejectedResult).reason), /UNIQUE/)
      t.is(await engine.waiting(TASK), 4)
      t.true((await engine.add(newJob())) !== 'full')
    })
  }),
)

test.serial(
  'while another program has the file locked it waits, and the event loop does not',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    await withEngine(file, async engine => {
      const other = openDatabase(file)
      other.exec('BEGIN IMMEDIATE')
      let isDone = false
      const adding = engine.add(newJob()).finally(() => {
        isDone = true
      })
      let turns = 0
      const timer = setInterval(() => turns++, 5)
      await sleep(600)
      clearInterval(timer)
      t.false(isDone)
      // One attempt takes 20 ms, and there is time between two.
      t.true(turns >= 8, `The event loop has turned ${turns} times.`)
      // Who looks need not wait.
      t.is(await engine.waiting(TASK), 0)
      other.exec('COMMIT')
      other.close()
      t.like(await adding, { isNew: true })
    })
  }),
)

test.serial(
  'what stays locked for longer than the timeout fails with a sentence, and later it goes on',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    await withEngine(
      file,
      async engine => {
        const other = openDatabase(file)
        other.exec('BEGIN IMMEDIATE')
        const outcomes = await Promise.allSettled(Array.from({ length: 300 }, () => engine.add(newJob())))
        const messages = outcomes.map(it => (it.status === 'rejected' ? it.reason.message : 'done'))
        t.deepEqual(
          [...new Set(messages)],
          [
            `sqlite: another program has had ${file} locked for 0.2 s. Let it write in shorter transactions, or give jobs a file of their own.`,
          ],
        )
        other.exec('ROLLBACK')
        other.close()
        t.like(await engine.add(newJob()), { isNew: true })
        t.is(await engine.waiting(TASK), 1)
      },
      { timeout: 0.2 },
    )
  }),
)

test.serial(
  'close() waits for what was asked before',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    const engine = sqlite(file)
    await engine.open()
    const adding = Array.from({ length: 500 }, () => engine.add(newJob()))
    await engine.close()
    const added = await Promise.all(adding)
    t.true(added.every(it => it !== 'full' && it.isNew))
    t.is(rowsOf(file, 'SELECT count(*) AS count FROM kolba_jobs')[0]?.count, 500)
  }),
)

test.serial(
  'close() waits for a second for another program, and what is not done then fails',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    const engine = sqlite(file)
    await engine.open()
    const other = openDatabase(file)
    other.exec('BEGIN IMMEDIATE')
    const adding = Promise.allSettled(Array.from({ length: 300 }, () => engine.add(newJob())))
    await sleep(50)
    const since = performance.now()
    await engine.close()
    const took = performance.now() - since
    t.true(took > 900 && took < 5000, `It took ${took} ms.`)
    const reasons = (await adding).map(it => it.status === 'rejected' && `${it.reason}`)
    t.deepEqual(
      [...new Set(reasons)],
      [
        `LockedError: sqlite: another program has had ${file} locked while it was closed. Let it write in shorter transactions, or give jobs a file of their own.`,
      ],
    )
    other.exec('ROLLBACK')
    other.close()
  }),
)

test.serial(
  'every search in 100,000 jobs is one in an index',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    await withEngine(file, async engine => {
      const database = openDatabase(file)
      // A tenth waits and is due, a tenth is delayed, a tenth runs, the others have ended or expired.
      database.exec(`
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
        INSERT INTO kolba_jobs (id, task, owner, state, version, attempts, failures, priority, is_ready, created, due,
          leased, finished, expires, gone, fingerprint)
        SELECT 'id' || i, 'task' || (i / 10 % 4), 'owner' || (i % 1000),
          CASE WHEN i % 10 < 2 THEN 'queued' WHEN i % 10 = 2 THEN 'running' WHEN i % 10 < 8 THEN 'succeeded' ELSE 'expired' END,
          1, 0, 0, i % 3, i % 10 = 0, 0, CASE WHEN i % 10 = 1 THEN ${Date.now() + DAY} ELSE 1000 END,
          CASE WHEN i % 10 = 2 THEN ${Date.now() + DAY} END, CASE WHEN i % 10 > 2 THEN 1 END,
          CASE WHEN i % 10 BETWEEN 3 AND 7 THEN ${Date.now() + DAY} END, CASE WHEN i % 10 > 2 THEN ${Date.now() + DAY} END, 'f'
        FROM n`)
      database.close()
      searchesInIndexes(t, file)
      // What an app tells SQLite about its tables is of ours as well.
      rowsOf(file, 'ANALYZE')
      searchesInIndexes(t, file)
      t.is(await engine.waiting('task1'), 5000)
      const before = performance.now()
      for (let count = 0; count < 100; count++) {
        const claim = await engine.claim('task1', DAY)
        if (!claim || !(await engine.finish(claim, 'succeeded', '1', DAY))) t.fail('There was no job, or it was lost.')
        await engine.due('task1')
        await engine.sweep()
      }
      // With a look at all rows it would be 10 ms for each of 900 statements.
      const took = performance.now() - before
      t.true(took < 8000, `It took ${took} ms.`)
      t.is(await engine.waiting('task1'), 4900)
    })
  }),
)

test.serial(
  '4 processes do 2,000 jobs, each once',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    await withEngine(file, async engine => {
      const jobs = Array.from({ length: 2000 }, () => newJob())
      await Promise.all(jobs.map(job => engine.add(job)))
      const children = Array.from({ length: 4 }, (_, index) => start(file, join(folder, `${index}`)))
      await Promise.all(children.map(ready))
      for (const child of children) child.send('go')
      t.deepEqual(await Promise.all(children.map(ended)), [0, 0, 0, 0])
      const ledgers = [0, 1, 2, 3].map(index => ledgerOf(join(folder, `${index}`)))
      const ids = jobs.map(({ id }) => id).toSorted()
      t.deepEqual(ledgers.flatMap(({ began }) => began).toSorted(), ids)
      t.deepEqual(ledgers.flatMap(({ finished }) => finished).toSorted(), ids)
      // None of them was kept from the work by the others.
      t.true(
        ledgers.every(({ finished }) => finished.length >= 50),
        ledgers.map(({ finished }) => finished.length).join(', '),
      )
      for (const { id } of jobs) t.like(await engine.get(id), { state: 'succeeded', attempts: 1, failures: 0 })
    })
  }),
)

test.serial(
  'nothing is lost that add() or finish() acknowledged where the process is killed, again and again',
  inFolder(async (t, folder) => {
    const file = join(folder, 'jobs.db')
    const ROUNDS = 6
    for (let round = 0; round < ROUNDS; round++) {
      const child = start(file, join(folder, `${round}`), '3', '200')
      await ready(child)
      await until(async () => ledgerOf(join(folder, `${round}`)).added.length > 5)
      await sleep(Math.random() * 300)
      child.kill('SIGKILL')
      t.not(await ended(child), 0)
    }
    await withEngine(file, async engine => {
      const ledgers = Array.from({ length: ROUNDS }, (_, round) => ledgerOf(join(folder, `${round}`)))
      const all = (kind: 'added' | 'began' | 'finished') => ledgers.flatMap(ledger => ledger[kind])
      t.true(all('finished').length > 0)
      t.is(new Set(all('finished')).size, all('finished').length)
      for (const id of all('finished')) t.is((await engine.get(id))?.state, 'succeeded')
      const drained = new Set<string>()
      const drain = async () => {
        for (let claim = await engine.claim(TASK, DAY); claim; claim = await engine.claim(TASK, DAY)) {
          t.true(await engine.finish(claim, 'succeeded', 'here', DAY))
          drained.add(claim.job.id)
          t.is(claim.job.request.length, 300)
        }
      }
      // Until the leases of those that died are over, too.
      await until(async () => {
        await Promise.all(Array.from({ length: 20 }, drain))
        return (await engine.due(TASK)) === undefined
      })
      const began = new Set(all('began'))
      for (const id of all('added')) {
        const job = await engine.get(id)
        t.is(job?.state, 'succeeded', id)
        t.is(Number(job?.attempts), Number(job?.failures) + 1)
        t.true(drained.has(id) || began.has(id))
      }
    })
    t.deepEqual(rowsOf(file, 'PRAGMA integrity_check').flatMap(Object.values), ['ok'])
    t.is(rowsOf(file, "SELECT id FROM kolba_jobs WHERE state <> 'succeeded'").length, 0)
  }),
)

/** Is there a plan for each statement that needs neither to look at all rows nor to sort them? */
function searchesInIndexes(t: ExecutionContext, file: string): void {
  const database = openDatabase(file)
  for (const [name, sql] of Object.entries(SQL)) {
    const nothing = Array.from(sql.matchAll(/\?/g), () => null)
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...nothing)
    const steps = plan.map(({ detail }) => String(detail))
    const wrong = steps.filter(step => /TEMP B-TREE|^SCAN (?!CONSTANT)/.test(step))
    t.deepEqual(wrong, [], `${name}: ${steps.join('; ')}`)
  }
  database.close()
}

function start(file: string, ledger: string, adding = '0', lease = '30000'): ChildProcess {
  writeFileSync(ledger, '')
  const child = forked(program, [file, ledger, adding, lease])
  children.push(child)
  return child
}

async function ready(child: ChildProcess): Promise<void> {
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (message !== 'ready') throw new Error(`The process has ended with ${message}.`)
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const [code] = await once(child, 'exit')
  return code
}

function ledgerOf(path: string) {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const of = (kind: string) => lines.flatMap(line => (line.startsWith(`${kind} `) ? [String(line.split(' ')[1])] : []))
  return { added: of('added'), began: of('began'), finished: of('finished') }
}
