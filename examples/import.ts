// Imports a file of cities into SQLite behind the request that brings it: watched, cancelled, gone on with after a crash.
//   curl -O localhost:3000/cities.csv                               135,233 of them
//   curl -i -H 'Content-Type: text/csv' --data-binary @cities.csv localhost:3000/imports   202, and the place of the job
//   curl -N -H 'Accept: text/event-stream' localhost:3000/jobs/...  how far it is, whenever that changes
//   curl -i localhost:3000/jobs/...                                 303 to the import, or what is wrong in which line
//   curl -i -X DELETE localhost:3000/jobs/...                       enough, and nothing of it is left
// The page at http://localhost:3000 does all this. What is kept is in the folder DATA.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { created, kolba, problem, reply } from 'kolba'
import { collection, links, resource } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { jobs, sqlite } from 'kolba/jobs'
import { csv, produces } from 'kolba/negotiate'
import { object, text } from 'kolba/schema'
import { Kysely, SqliteDialect, sql } from 'kysely'
import Sqlite from 'libsql'
import { city, readCities, sampleCities } from './cities-file.ts'
import { page } from './import-page.ts'
import { uploads } from './upload.ts'

const { DATA = join(tmpdir(), 'kolba-import'), PORT = 3000 } = process.env
mkdirSync(DATA, { recursive: true, mode: 0o700 })
const work = jobs({ engine: sqlite(join(DATA, 'jobs.db')), lease: 10 })
const files = uploads(join(DATA, 'uploads'), 'text/csv', 64 * 2 ** 20)
work.every('hour', () => files.sweep(86_400), { name: 'sweep uploads' })

// Imports write on one connection, each in a transaction. All others read on a second one, and see what is whole.
const [writer, db] = [connect(), connect()]
const cities = resource({ fields: object({ ...city, import: text() }), sort: '-population', search: ['name'] })
const imported = links(({ id }) => ({ cities: `/cities?import=${id}` }))

export const app = kolba()
app.onStart(makeTables).onStop(() => Promise.all([writer.destroy(), db.destroy()]))
app.mount('/jobs', work.routes)
app.get('/', () => reply(200, page, { 'Content-Type': 'text/html; charset=utf-8' }))
app.get('/cities.csv', produces({ 'text/csv': csv({ formulas: true }) }), sampleCities)
app.get('/cities', etag(), collection(cities), () => db.selectFrom('city'))
app.get('/imports/:id', etag(), imported, async ({ params }) => {
  return (await find(params.id)) ?? problem(404, { detail: 'There is no such import, or it is not done.' })
})

app.post('/imports', files.kept, work.background({ concurrency: 1 }), files.removed, async ctx => {
  const { file, job, progress, signal } = ctx
  if (await find(job.id)) return created(`/imports/${job.id}`) // a process ended before it could say so
  await writer.transaction().execute(async tx => {
    let count = 0
    for await (const { cities, done, total } of readCities(file)) {
      signal.throwIfAborted() // which takes back all that was written
      await tx
        .replaceInto('city')
        .values(cities.map(city => ({ ...city, import: job.id })))
        .execute()
      count += cities.length
      progress(done, total, `${count.toLocaleString('en')} cities`)
    }
    await tx.replaceInto('import').values({ id: job.id, count, finished: new Date().toISOString() }).execute()
  })
  return created(`/imports/${job.id}`)
})

const find = (id: string) => db.selectFrom('import').selectAll().where('id', '=', id).executeTakeFirst()

function connect() {
  const database = new Sqlite(join(DATA, 'cities.db'))
  return new Kysely<Record<'city' | 'import', Record<string, unknown>>>({ dialect: new SqliteDialect({ database }) })
}

async function makeTables() {
  await sql`pragma journal_mode = wal`.execute(writer)
  await sql`create table if not exists import (id text primary key, count integer, finished text)`.execute(writer)
  await sql`create table if not exists city (id integer primary key, name text, country text, population integer,
    longitude real, latitude real, import text)`.execute(writer)
}

if (process.argv[1] === import.meta.filename) app.listen(PORT)
