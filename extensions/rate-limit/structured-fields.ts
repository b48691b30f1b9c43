// What the two headers need of structured fields (RFC 9651): strings, whole numbers, and their parameters.

/** An item with parameters, section 4.1.3. @throws RangeError for what it cannot hold */
export function writeItem(value: string | number, parameters: Readonly<Record<string, string | number>> = {}): string {
  const written = Object.entries(parameters).map(([name, value]) => {
    if (!/^[a-z*][a-z\d_.*-]*$/.test(name)) throw new RangeError(`writeItem: ${JSON.stringify(name)} is no key.`)
    return `;${name}=${writeBare(value)}`
  })
  return writeBare(value) + written.join('')
}

/** A list with one member more, section 4.1.1. */
export function append(list: unknown, item: string): string {
  return list === undefined ? item : `${list}, ${item}`
}

function writeBare(value: string | number): string {
  if (typeof value === 'string') return writeString(value)
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value)
  throw new RangeError(`writeItem: ${value} is no whole number of at most 15 digits.`)
}

function writeString(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new RangeError(`writeItem: ${JSON.stringify(text)} is not printable ASCII.`)
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
