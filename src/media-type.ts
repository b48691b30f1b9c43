/** A media type in lower case, with its parameters by lower-case name. */
export interface MediaType {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const TYPE = new RegExp(`^[ \\t]*(${TOKEN}/${TOKEN})[ \\t]*`)
/** `; name=token` or `; name="quoted"`, or a semicolon with nothing behind it: RFC 9110 section 5.6.6. */
const PARAMETER = new RegExp(
  `;[ \\t]*(?:(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*)"))?[ \\t]*`,
  'y',
)

/**
 * Reads a Content-Type by the grammar of RFC 9110 section 8.3.1, and nothing that only looks like one: what reads
 * the body and what guards it must see the same type.
 *
 * @returns undefined where it is malformed, or has one parameter twice
 */
export function readMediaType(header: string): MediaType | undefined {
  const type = TYPE.exec(header)
  if (!type) return
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = type[0].length
  while (PARAMETER.lastIndex < header.length) {
    const found = PARAMETER.exec(header)
    if (!found) return
    const [, name, token, quoted] = found
    if (name === undefined) continue
    if (parameters.has(name.toLowerCase())) return
    parameters.set(name.toLowerCase(), token ?? (quoted as string).replace(/\\(.)/g, '$1'))
  }
  return { type: (type[1] as string).toLowerCase(), parameters }
}
