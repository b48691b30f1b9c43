/**
 * Dates as HTTP writes them (RFC 9110 section 5.6.7): three formats are read, and one is written,
 * `Sun, 06 Nov 1994 08:49:37 GMT`.
 */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(?<month>${MONTHS.join('|')})`
const DAY_NAME = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const LONG_DAY_NAME = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day'
/** A leap second is the last one of a day in UTC, and no other. */
const TIME = '(?<time>(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d|23:59:60)'

const FORMATS = [
  new RegExp(`^${DAY_NAME}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY_NAME}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY_NAME} ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`),
]

interface Fields {
  day: string
  month: string
  year: string
  time: string
}

/**
 * Reads an HTTP-date: IMF-fixdate, and the obsolete formats of RFC 850 and of asctime, case-sensitive, with no space
 * more than they have. A leap second is the second before it, which is of the same day. The name of the day has to be
 * one, and need not be that of the date.
 *
 * @param now what the two-digit year of RFC 850 is near to: it is at most 50 years ahead. Default: the clock
 * @returns undefined for other text, and for a day that is in no calendar
 * @example readDate('Sun, 06 Nov 1994 08:49:37 GMT')
 */
export function readDate(text: string, now: Date = new Date()): Date | undefined {
  for (const format of FORMATS) {
    const fields = format.exec(text)?.groups
    if (fields) return toDate(fields as unknown as Fields, now)
  }
}

/**
 * Writes a date as IMF-fixdate, which is what a server sends. What is less than a second is cut off.
 *
 * @throws RangeError for an invalid Date, and for a year that four digits cannot say
 * @example ctx.set('Last-Modified', writeDate(book.changedAt))
 */
export function writeDate(date: Date): string {
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= 9999))
    throw new RangeError('writeDate: the date is invalid, or not of the years 0 to 9999. Give a valid Date.')
  return date.toUTCString()
}

function toDate(fields: Fields, now: Date): Date | undefined {
  if (fields.year.length === 4) return dateOf(Number(fields.year), fields)
  const limit = new Date(now)
  limit.setUTCFullYear(limit.getUTCFullYear() + 50)
  const last = limit.getUTCFullYear()
  const year = last - ((last - Number(fields.year)) % 100)
  const date = dateOf(year, fields)
  return date && date > limit ? dateOf(year - 100, fields) : date
}

function dateOf(year: number, { day, month, time }: Fields): Date | undefined {
  const [hour, minute, second] = time.split(':').map(Number) as [number, number, number]
  // Date.UTC would take the year 94 for 1994.
  const date = new Date(0)
  date.setUTCFullYear(year, MONTHS.indexOf(month), Number(day))
  date.setUTCHours(hour, minute, Math.min(second, 59))
  // JavaScript would take February 30 for a day in March.
  return date.getUTCDate() === Number(day) ? date : undefined
}
