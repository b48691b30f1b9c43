import type { IncomingMessage } from 'node:http'

/** The longest credentials that are looked at, in bytes. */
export const LONGEST = 8192

/** What stands behind the name of a scheme, or what is wrong with the header. */
export type Credentials =
  | { readonly token: string; readonly fault?: never }
  | { readonly token?: never; readonly fault: string }

/**
 * The credentials in the Authorization header (RFC 9110 section 11.6.2) where they are of this scheme, which is compared
 * without regard to case. The header has to be there once: Node would drop the second one in silence, and another program
 * might have read that. They have to be a token68, which is for the caller to ask, of those that it does not know.
 */
export function readAuthorization(req: IncomingMessage, scheme: string): Credentials | undefined {
  const value = req.headers.authorization
  if (value === undefined) return
  if (linesOf(req, 'authorization') > 1) return { fault: 'Send one Authorization header.' }
  if (!isOf(scheme, value)) return
  let start = scheme.length
  while (value[start] === ' ') start += 1
  return start > scheme.length ? { token: value.slice(start) } : { fault: malformed(scheme) }
}

/** RFC 9110 section 11.2: what a token and the Base64 of a name and a password are made of. */
export function isToken68(text: string): boolean {
  return /^[\w.~+/-]+=*$/.test(text)
}

/** What is wrong where it is none. */
export function malformed(scheme: string): string {
  return `Send one Authorization header, as "${scheme} <credentials>".`
}

function isOf(scheme: string, value: string): boolean {
  // As nearly all clients write it.
  if (value[scheme.length] === ' ' && value.startsWith(scheme)) return true
  const name = NAME.exec(value)?.[0] ?? ''
  return name.length === scheme.length && name.toLowerCase() === scheme.toLowerCase()
}

const NAME = /^[!#$%&'*+.^_`|~\w-]*/

/** The value of a header that has to be there once, as visible ASCII. */
export function readKey(req: IncomingMessage, name: string): Credentials | undefined {
  const value = req.headers[name]
  if (value === undefined) return
  if (linesOf(req, name) > 1 || typeof value !== 'string') return { fault: 'Send the header of the key once.' }
  if (!/^[\x21-\x7e]+$/.test(value)) return { fault: 'Send the key as visible ASCII characters, without spaces.' }
  return { token: value }
}

/** How many lines of a request have this name, which is given in lower case. */
function linesOf({ rawHeaders }: IncomingMessage, name: string): number {
  let lines = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const its = rawHeaders[index] as string
    if (its.length === name.length && its.toLowerCase() === name) lines += 1
  }
  return lines
}
