/** Header fields, a name and its value in turn, as Node's `writeHead` takes them. Each name is there once. */
export type Fields = string[]

export function fieldIn(fields: Fields, name: string): string | undefined {
  const at = placeOf(fields, name)
  return at < 0 ? undefined : fields[at + 1]
}

/** Adds a field, or changes it where it is there. */
export function putField(fields: Fields, name: string, value: string): void {
  const at = placeOf(fields, name)
  if (at < 0) fields.push(name, value)
  else fields[at + 1] = value
}

/** There are a handful of them, and most differ in length: to look at each is faster than any index. */
function placeOf(fields: Fields, name: string): number {
  for (let index = 0; index < fields.length; index += 2) {
    const other = fields[index] as string
    if (other.length === name.length && (other === name || other.toLowerCase() === name.toLowerCase())) return index
  }
  return -1
}
