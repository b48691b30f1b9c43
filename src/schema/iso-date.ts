const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/

/**
 * A date, which is midnight in UTC, or a date and time with an offset: RFC 3339.
 *
 * @returns undefined for other text, and for a day that is in no calendar
 */
export function readDate(text: string): Date | undefined {
  const found = ISO.exec(text)
  if (!found) return
  const [year, month, day] = found.slice(1, 4).map(Number) as [number, number, number]
  // JavaScript would take February 30 for a day in March.
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  if (month < 1 || month > 12 || day < 1 || day > last) return
  return new Date(text.toUpperCase())
}
