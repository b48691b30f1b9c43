import { createRequire } from 'node:module'
import { pipeline, Readable } from 'node:stream'
import type { Options, Stringifier } from 'csv-stringify'
import { checkOptions, type Kind, kinds } from '../../src/index.ts'
import { type Rendering, rendered } from './rendering.ts'
import { readColumns, recorder, rowsOf } from './rows.ts'

export interface CsvOptions {
  /**
   * The properties to write, in their order, or what stands in the header for each, `{ id: 'No.', title: 'Title' }`.
   * Of rows that are lists it names the places. @default the properties of the first row
   */
  columns?: readonly string[] | Readonly<Record<string, string>>
  /** Begins with the names of the columns. @default true */
  header?: boolean
  /** One character; spreadsheets of some countries want `;`. @default ',' */
  delimiter?: string
  /** Begins with U+FEFF, which tells Excel that it is UTF-8. @default false */
  bom?: boolean
  /** Leaves text that a spreadsheet takes for a formula as it is, instead of beginning it with `'`. @default false */
  formulas?: boolean
}

const columns: Kind = {
  words: 'a list of names, or an object of titles by name',
  test: value => kinds.object.test(value) && Object.values(value as object).every(kinds.text.test),
}
const delimiter: Kind = {
  words: 'one character that is no quote and no line break',
  test: value => typeof value === 'string' && /^[^"\r\n]$/u.test(value),
}
const OPTIONS = { columns, header: kinds.flag, delimiter, bom: kinds.flag, formulas: kinds.flag }

/** What begins a formula, with the full-width signs of East Asia, or is cut off before one. */
const FORMULA = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/

/** Rows of a list that are written at once, with a length and for a tag; more of them are a stream. */
const AT_ONCE = 1000

/**
 * Renders a collection as CSV (RFC 4180): a list, whatever can be iterated, async or not, a stream of objects, or
 * `items` of an object. The rows are objects or lists; what is no collection is one row. More than 1,000 rows, and what
 * is iterated, go out as they come.
 *
 * Cells say what JSON says of a value, without its quotes: a Date is ISO text, an object JSON, `null` nothing. Text that
 * begins with `=`, `+`, `-`, `@`, a tab or a line break is given a `'`, because a spreadsheet would run it as a formula
 * (CSV injection); numbers stay as they are. `formulas: true` leaves that out, for readers that are programs.
 *
 * @throws TypeError for a wrong option, and where the package csv-stringify is not installed; at the request, as a 500,
 *   for rows that are lists where a header is wanted and no columns are given
 * @example produces({ 'application/json': true, 'text/csv': csv({ columns: ['id', 'title'] }) })
 */
export function csv(options: CsvOptions = {}): Rendering {
  checkOptions('csv', options, OPTIONS)
  const { header = true, delimiter = ',', bom = false, formulas = false } = options
  const { Stringifier, stringify } = load()
  const given = readColumns(options.columns)
  const how: Options = {
    delimiter,
    bom,
    record_delimiter: '\r\n',
    quote_record_delimiter: true,
  }
  const start = () => recorder(given, header, formulas ? it => it : harmless)
  const render: Rendering = (value, ctx) => {
    const rows = rowsOf(value)
    if (!Array.isArray(rows) || rows.length > AT_ONCE)
      return Readable.from(
        pieces(() => new Stringifier(how), records(rows, start())),
        { objectMode: false },
      )
    return rendered(ctx, 'csv()', () => {
      const { add, end } = start()
      return stringify([...rows.flatMap(add), ...end()], how)
    })
  }
  return Object.assign(render, { parameters: `header=${header ? 'present' : 'absent'}` })
}

async function* records(
  rows: Iterable<unknown> | AsyncIterable<unknown>,
  { add, end }: ReturnType<typeof recorder>,
): AsyncGenerator<readonly unknown[]> {
  for await (const row of rows) yield* add(row)
  yield* end()
}

function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}

/** Begins when somebody reads, so nothing is held open for an answer that is not sent. */
async function* pieces(open: () => Stringifier, from: AsyncIterable<readonly unknown[]>): AsyncGenerator<Buffer> {
  const lines = open()
  // What fails above comes out of the loop below.
  pipeline(Readable.from(from), lines, () => {})
  yield* lines
}

interface Library {
  Stringifier: new (options: Options) => Stringifier
  stringify: (records: unknown[], options: Options) => string
}

function load(): Library {
  const require = createRequire(import.meta.url)
  try {
    return { Stringifier: require('csv-stringify').Stringifier, stringify: require('csv-stringify/sync').stringify }
  } catch (error) {
    throw new TypeError('csv: it is written by csv-stringify. Run npm install csv-stringify.', { cause: error })
  }
}
