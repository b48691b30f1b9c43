const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const QUOTED = '"(?:[^"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const SPACE = '[ \\t]*'

/** `name`, `name=value` or `name=`; the spaces behind each part belong to it, so that there is one way to read them. */
const part = (name: string, value: string) => `${name}${SPACE}(?:=${SPACE}(?:${value}${SPACE})?)?`
const VALUE = `(?:${TOKEN}|${QUOTED})`
const PREFERENCE = new RegExp(`^${SPACE}${part(`(${TOKEN})`, `(${VALUE})`)}(?:;${SPACE}(?:${part(TOKEN, VALUE)})?)*$`)

/** What stands between commas that are in no quotes. A quote that is not closed goes on to the end. */
const MEMBER = /(?:[^",]|"(?:[^"\\]|\\.?)*(?:"|$))+/gs

/**
 * Reads `Prefer` by the grammar of RFC 7240 section 2, all its lines joined: values by name in lower case, true for a
 * preference that has none or an empty one. The first of a name counts, and a malformed member is as if it were not
 * there. Parameters are read over: no preference that is registered has one.
 */
export function parse(header: string): ReadonlyMap<string, string | true> {
  const all = new Map<string, string | true>()
  for (const member of header.match(MEMBER) ?? []) {
    const [, name, word = ''] = PREFERENCE.exec(member) ?? []
    if (name === undefined || all.has(name.toLowerCase())) continue
    all.set(name.toLowerCase(), unquote(word) || true)
  }
  return all
}

/** A member of `Preference-Applied`, section 3. */
export function write(name: string, value: string | true): string {
  if (value === true) return name
  const isToken = new RegExp(`^${TOKEN}$`).test(value)
  return `${name}=${isToken ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`
}

function unquote(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word
}
