import test from 'ava'
import fc from 'fast-check'
import { readDate, writeDate } from '../../../src/conditional/http-date.ts'

const NOW = new Date('2026-07-15T12:00:00Z')

const read = (text: string, now = NOW) => readDate(text, now)?.toISOString()

/** The three examples of RFC 9110 section 5.6.7, and what else its grammar has. */
const READ: [string, string][] = [
  ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
  ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
  ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
  ['Sun Nov 06 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
  ['Wed Nov 16 08:49:37 1994', '1994-11-16T08:49:37.000Z'],
  ['Thu, 01 Jan 1970 00:00:00 GMT', '1970-01-01T00:00:00.000Z'],
  ['Thu, 29 Feb 2024 23:59:59 GMT', '2024-02-29T23:59:59.000Z'],
  ['Tue, 29 Feb 2000 00:00:00 GMT', '2000-02-29T00:00:00.000Z'],
  ['Sat, 31 Dec 2016 23:59:60 GMT', '2016-12-31T23:59:59.000Z'],
  ['Saturday, 31-Dec-16 23:59:60 GMT', '2016-12-31T23:59:59.000Z'],
  ['Fri, 31 Dec 9999 23:59:60 GMT', '9999-12-31T23:59:59.000Z'],
  ['Sun, 06 Nov 0094 08:49:37 GMT', '0094-11-06T08:49:37.000Z'],
  ['Sat, 01 Jan 0000 00:00:00 GMT', '0000-01-01T00:00:00.000Z'],
  // The day is another one; section 5.6.7 has recipients be robust.
  ['Mon, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
]
for (const [text, date] of READ) test(`readDate() reads ${text}`, t => t.is(read(text), date))

const REFUSED: [string, string][] = [
  ['', 'nothing'],
  ['foo', 'no date'],
  ['0', 'a number'],
  ['784111777', 'a time of Unix'],
  ['1994-11-06T08:49:37Z', 'a date of RFC 3339'],
  ['Sun, 06 Nov 1994 08:49:37', 'no zone'],
  ['Sun, 06 Nov 1994 08:49:37 UTC', 'another zone'],
  ['Sun, 06 Nov 1994 08:49:37 +0000', 'an offset'],
  ['Sun, 06 Nov 1994 08:49:37 gmt', 'case'],
  ['sun, 06 Nov 1994 08:49:37 GMT', 'case'],
  ['Sun, 06 nov 1994 08:49:37 GMT', 'case'],
  ['SUNDAY, 06-Nov-94 08:49:37 GMT', 'case'],
  ['Sun, 6 Nov 1994 08:49:37 GMT', 'one digit'],
  ['Sun, 06 Nov 94 08:49:37 GMT', 'two digits of a year'],
  ['Sun, 06 Nov 11994 08:49:37 GMT', 'five digits of a year'],
  ['Sun, 06-Nov-1994 08:49:37 GMT', 'a date of cookies'],
  ['Sun, 06-Nov-94 08:49:37 GMT', 'a short name in the format of RFC 850'],
  ['Sunday, 06 Nov 1994 08:49:37 GMT', 'a long name in IMF-fixdate'],
  ['Sunday, 06-Nov-1994 08:49:37 GMT', 'four digits in the format of RFC 850'],
  ['Sun Nov 6 08:49:37 1994', 'one digit and one space in asctime'],
  ['Sun Nov  6 08:49:37 1994 GMT', 'a zone in asctime'],
  ['Sun Nov  6 08:49:37 94', 'two digits of a year in asctime'],
  ['Sun,  06 Nov 1994 08:49:37 GMT', 'two spaces'],
  [' Sun, 06 Nov 1994 08:49:37 GMT', 'a space before it'],
  ['Sun, 06 Nov 1994 08:49:37 GMT ', 'a space behind it'],
  ['Sun, 06 Nov 1994 08:49:37 GMT\n', 'a line break behind it'],
  ['Sun 06 Nov 1994 08:49:37 GMT', 'no comma'],
  ['06 Nov 1994 08:49:37 GMT', 'no name of a day'],
  ['Xyz, 06 Nov 1994 08:49:37 GMT', 'no such day'],
  ['Sun, 06 Xyz 1994 08:49:37 GMT', 'no such month'],
  ['Sun, 00 Nov 1994 08:49:37 GMT', 'day 0'],
  ['Sun, 31 Nov 1994 08:49:37 GMT', 'day 31 of 30'],
  ['Sun, 32 Dec 1994 08:49:37 GMT', 'day 32'],
  ['Wed, 29 Feb 2023 00:00:00 GMT', 'no leap year'],
  ['Mon, 29 Feb 1900 00:00:00 GMT', 'no leap year, by the rule of centuries'],
  ['Monday, 30-Feb-04 00:00:00 GMT', 'day 30 of February'],
  ['Sun, 06 Nov 1994 24:00:00 GMT', 'hour 24'],
  ['Sun, 06 Nov 1994 08:60:00 GMT', 'minute 60'],
  ['Sun, 06 Nov 1994 08:49:60 GMT', 'a leap second at another time of day'],
  ['Sun, 06 Nov 1994 23:59:61 GMT', 'second 61'],
  ['Sun, 06 Nov 1994 8:49:37 GMT', 'one digit of an hour'],
  ['Sun, 06 Nov 1994 08:49:37.5 GMT', 'a fraction'],
  ['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT', 'a list'],
  ['Sun, ٠٦ Nov 1994 08:49:37 GMT', 'other digits'],
]
for (const [text, reason] of REFUSED)
  test(`readDate() refuses ${JSON.stringify(text)}: ${reason}`, t => t.is(read(text), undefined))

/** Now, a date with two digits, and what it means: at most 50 years ahead, RFC 9110 section 5.6.7. */
const CENTURIES: [now: string, text: string, date: string][] = [
  ['2026-07-15T12:00:00Z', 'Wednesday, 15-Jul-76 12:00:00 GMT', '2076-07-15T12:00:00.000Z'],
  ['2026-07-15T12:00:00Z', 'Wednesday, 15-Jul-76 12:00:01 GMT', '1976-07-15T12:00:01.000Z'],
  ['2026-07-15T12:00:00Z', 'Friday, 31-Dec-76 00:00:00 GMT', '1976-12-31T00:00:00.000Z'],
  ['2026-07-15T12:00:00Z', 'Tuesday, 31-Dec-75 00:00:00 GMT', '2075-12-31T00:00:00.000Z'],
  ['2026-07-15T12:00:00Z', 'Saturday, 01-Jan-77 00:00:00 GMT', '1977-01-01T00:00:00.000Z'],
  ['2026-07-15T12:00:00Z', 'Friday, 31-Dec-99 00:00:00 GMT', '1999-12-31T00:00:00.000Z'],
  ['2026-07-15T12:00:00Z', 'Saturday, 01-Jan-00 00:00:00 GMT', '2000-01-01T00:00:00.000Z'],
  ['2026-07-15T12:00:00Z', 'Wednesday, 15-Jul-26 12:00:00 GMT', '2026-07-15T12:00:00.000Z'],
  ['1994-11-06T08:49:37Z', 'Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
  ['1994-11-06T08:49:37Z', 'Sunday, 06-Nov-43 08:49:37 GMT', '2043-11-06T08:49:37.000Z'],
  ['2099-06-01T00:00:00Z', 'Friday, 01-Jan-05 00:00:00 GMT', '2105-01-01T00:00:00.000Z'],
  ['2099-06-01T00:00:00Z', 'Friday, 01-Jan-60 00:00:00 GMT', '2060-01-01T00:00:00.000Z'],
]
for (const [now, text, date] of CENTURIES)
  test(`readDate() reads ${text} as of ${date.slice(0, 4)} in ${now.slice(0, 4)}`, t =>
    t.is(read(text, new Date(now)), date))

test('readDate() takes the clock for now', t => {
  t.is(readDate('Sunday, 06-Nov-94 08:49:37 GMT')?.getTime(), Date.UTC(1994, 10, 6, 8, 49, 37))
  const year = new Date().getUTCFullYear() + 51
  const digits = String(year % 100).padStart(2, '0')
  t.is(readDate(`Sunday, 31-Dec-${digits} 08:49:37 GMT`)?.getUTCFullYear(), year - 100)
})

test('writeDate() writes IMF-fixdate, and cuts off what is less than a second', t => {
  t.is(writeDate(new Date(784111777000)), 'Sun, 06 Nov 1994 08:49:37 GMT')
  t.is(writeDate(new Date(784111777999)), 'Sun, 06 Nov 1994 08:49:37 GMT')
  t.is(writeDate(new Date(-1)), 'Wed, 31 Dec 1969 23:59:59 GMT')
  t.is(writeDate(new Date('0005-01-01T00:00:00Z')), 'Sat, 01 Jan 0005 00:00:00 GMT')
  t.is(writeDate(new Date('9999-12-31T23:59:59Z')), 'Fri, 31 Dec 9999 23:59:59 GMT')
})

test('writeDate() refuses what no HTTP-date can say', t => {
  const message = 'writeDate: the date is invalid, or not of the years 0 to 9999. Give a valid Date.'
  for (const date of [new Date(Number.NaN), new Date('+010000-01-01T00:00:00Z'), new Date('-000001-12-31T23:59:59Z')])
    t.throws(() => writeDate(date), { instanceOf: RangeError, message })
})

const anyDate = fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z') })

test('readDate() reads back what writeDate() writes, to the second', t => {
  const property = fc.property(
    anyDate.filter(it => !Number.isNaN(it.getTime())),
    date => {
      const seconds = Math.floor(date.getTime() / 1000) * 1000
      t.is(readDate(writeDate(date))?.getTime(), seconds)
    },
  )
  t.notThrows(() => fc.assert(property, { numRuns: 500 }))
})

test('readDate() reads the three formats of one date alike', t => {
  const near = fc.date({ min: new Date('1976-07-16'), max: new Date('2076-07-15'), noInvalidDate: true })
  const long: Record<string, string> = { Tue: 'Tuesday', Wed: 'Wednesday', Thu: 'Thursday', Sat: 'Saturday' }
  const property = fc.property(near, date => {
    const fixdate = writeDate(date)
    const [, name = '', day = '', month, year = '', time] = /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(fixdate) ?? []
    const rfc850 = `${long[name] ?? `${name}day`}, ${day}-${month}-${year.slice(2)} ${time} GMT`
    const asctime = `${name} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`
    t.not(read(fixdate), undefined)
    t.is(read(rfc850), read(fixdate))
    t.is(read(asctime), read(fixdate))
  })
  t.notThrows(() => fc.assert(property, { numRuns: 500 }))
})

test('readDate() gives a date that can be written, or undefined, for any text', t => {
  const word = fc.constantFrom(
    'Sun',
    'Sunday',
    ',',
    ' ',
    '  ',
    '-',
    '06',
    '6',
    '31',
    'Feb',
    'Nov',
    '94',
    '1994',
    '08:49:37',
  )
  const nearly = fc.array(fc.oneof(word, fc.constantFrom(' GMT', '23:59:60')), { maxLength: 10 }).map(it => it.join(''))
  const property = fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearly), text => {
    const date = readDate(text, NOW)
    if (date) t.is(readDate(writeDate(date))?.getTime(), date.getTime())
    else t.is(date, undefined)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }))
})
