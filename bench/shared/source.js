// Where the rows of W4 and W7 are: in a list, or in SQLite where the workload says so.
import { findInList } from './endpoint.js'

const sqlite = process.env.BENCH_SOURCE === 'sqlite' ? await import('./sqlite.js') : undefined

export const find = sqlite?.findInDatabase ?? findInList
export const findAsRaw = sqlite?.findByStatement ?? findInList
export const db = sqlite?.db
