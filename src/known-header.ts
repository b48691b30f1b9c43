import { validateHeaderName } from 'node:http'
import { remember } from './remember.ts'

type Kind = 'type' | 'length' | 'id' | 'shared'

/** The headers that are not like others to whoever keeps or writes them. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['content-type', 'type'],
  ['content-length', 'length'],
  ['transfer-encoding', 'length'],
  ['x-request-id', 'id'],
  // Lists that every layer has its part in: what a decorator has said there, a reply adds to and does not replace.
  ['vary', 'shared'],
  ['link', 'shared'],
  ['set-cookie', 'shared'],
])

/** What is known of a header by its name. */
interface KnownHeader {
  readonly kind: Kind | undefined
  /** The value that was found plain last: most answers say what the one before has said. */
  plain: string
}

/** @throws TypeError for what is no name of a header */
export const knownHeader = remember<KnownHeader>(256, name => {
  validateHeaderName(name)
  return { kind: KINDS.get(name.toLowerCase()), plain: '' }
})

/** Is it ASCII that may stand in a header? Of all else Node knows whether it may, and in which bytes. */
export function isPlainValue(value: string, known: KnownHeader): boolean {
  if (value === known.plain) return true
  if (/[^\t\x20-\x7e]/.test(value)) return false
  known.plain = value
  return true
}
