import { createCipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Kind, type Kolba, kinds } from '../../src/index.ts'
import type { Field, Value } from './types.ts'

// A cursor is base64url text: an HMAC-SHA256 of the payload, then the payload, encrypted under a nonce that is the first
// half of the HMAC (the construction of RFC 5297, so that the same position is the same text, and a page keeps its tag).
// It is encrypted because rows may be sorted by a field that nobody may see. The payload is JSON: the format, whether the
// walk goes back, when the cursor ends (seconds, 0 for never), a seal of the question that it is an answer to, and the
// values of the row that it stands at, in the order of the sort.

/** Where a walk stands. */
export interface Position {
  /** Towards the first row. */
  readonly isBackward: boolean
  /** Of the row that it stands at, in the order of the sort; undefined before the first row, or behind the last. */
  readonly values?: readonly Value[] | undefined
}

/** Writes and reads cursors with the keys of one app. */
export interface Cursors {
  /**
   * @param question what the cursor is an answer to: filter, sort, principal, route
   * @returns undefined where the values are too long for it
   */
  write(position: Position, question: string): string | undefined
  /** @returns a sentence for what was not made here, not for this question, or has ended */
  read(text: string, question: string, fields: readonly Field[]): Position | string
}

export interface CursorOptions {
  readonly secret?: string | readonly string[] | undefined
  readonly cursorTtl?: number | undefined
}

/** A value as JSON has it: of a date its milliseconds, and in a list, as text, NaN or an infinity. */
type Held = Exclude<Value, Date> | readonly [string]

const FORMAT = 1
const MAC = 32
/** A query parameter has at most 2 KiB, its name included. */
const LONGEST = 2000
/** HMAC-SHA256 with less is easier to guess than to break: RFC 2104 section 3. */
const KEY = 32

const isKey = (value: unknown): value is string => typeof value === 'string' && Buffer.byteLength(value) >= KEY

/** What `secret` may be. */
export const secretKind: Kind = {
  words: `a string of at least ${KEY} bytes, or a list of them`,
  isSecret: true,
  test: value => (Array.isArray(value) ? value.length > 0 && value.every(isKey) : isKey(value)),
}

export const CURSOR_OPTIONS = { secret: secretKind, cursorTtl: kinds.seconds }

/** Signs with the first key, and believes all of them, so that keys can be exchanged while cursors are under way. */
export function cursorsOf(app: Kolba, { secret, cursorTtl }: CursorOptions): Cursors {
  // Found at the first cursor: `app.keys` may be set after the routes.
  let found: readonly Keys[] | undefined
  const keys = () => {
    found ??= (secret ? [secret].flat() : keysOf(app)).map(derive)
    return found
  }

  function write({ isBackward, values = [] }: Position, question: string): string | undefined {
    const key = keys()[0] as Keys
    const held = values.map(toHeld)
    const payload = JSON.stringify([FORMAT, isBackward ? 1 : 0, endOf(cursorTtl), seal(key, question), ...held])
    const mac = sign(key.forMac, payload)
    const text = Buffer.concat([mac, encrypt(key, mac, Buffer.from(payload))]).toString('base64url')
    return text.length > LONGEST ? undefined : text
  }

  function read(text: string, question: string, fields: readonly Field[]): Position | string {
    const bytes = Buffer.from(text, 'base64url')
    // Node's decoder reads over what is not base64url; then several texts would be the same cursor.
    if (text.length > LONGEST || bytes.length <= MAC || bytes.toString('base64url') !== text) return FORGED
    const [key, payload] = open(keys(), bytes.subarray(0, MAC), bytes.subarray(MAC)) ?? []
    if (!key) return FORGED
    const [format, isBackward, end, sealed, ...values] = JSON.parse(String(payload)) as [
      number,
      number,
      number,
      string,
      ...Held[],
    ]
    if (format !== FORMAT) return FORGED
    if (sealed !== seal(key, question)) return FOREIGN
    if (end > 0 && end < Date.now() / 1000) return OVER
    if (values.length === 0) return { isBackward: isBackward === 1 }
    return { isBackward: isBackward === 1, values: values.map((value, index) => toValue(fields[index], value)) }
  }

  return { write, read }
}

const FORGED = 'It is none that was given out here. Begin with the first page.'
const FOREIGN = 'It belongs to another filter, order or user. Begin with the first page of these.'
const OVER = 'It is too old. Begin with the first page.'

interface Keys {
  readonly forMac: Buffer
  readonly forText: Buffer
  readonly forSeal: Buffer
}

/** A key for each purpose, so that one that signs cookies too says nothing of these. */
function derive(key: string | Buffer): Keys {
  const [forMac, forText, forSeal] = ['mac', 'text', 'seal'].map(it => sign(key, `kolba collection cursor ${it}`))
  return { forMac, forText, forSeal } as Keys
}

function sign(key: string | Buffer, text: string | Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Counter mode: the same decrypts. */
function encrypt({ forText }: Keys, mac: Buffer, payload: Buffer): Buffer {
  return createCipheriv('aes-256-ctr', forText, mac.subarray(0, 16)).update(payload)
}

/** The payload, with the key that it was made with; undefined where it was made with none of these. */
function open(keys: readonly Keys[], mac: Buffer, sealed: Buffer): [Keys, Buffer] | undefined {
  for (const key of keys) {
    const payload = encrypt(key, mac, sealed)
    if (timingSafeEqual(sign(key.forMac, payload), mac)) return [key, payload]
  }
}

/** With a key, so that nobody who has a cursor can find out a filter or a user by trying. */
function seal({ forSeal }: Keys, question: string): string {
  return sign(forSeal, question).toString('base64url').slice(0, 22)
}

/** Rounded up to a tenth of its life, so that the links of a page, and its tag, are the same for a while. */
function endOf(ttl: number | undefined): number {
  if (ttl === undefined) return 0
  const step = Math.max(1, Math.floor(ttl / 10))
  return Math.ceil((Date.now() / 1000 + ttl) / step) * step
}

function toHeld(value: Value): Held {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'number' && !Number.isFinite(value) ? [String(value)] : value
}

function toValue(field: Field | undefined, value: Held): Value {
  if (typeof value === 'object' && value !== null) return Number(value[0])
  return field?.type === 'date' && typeof value === 'number' ? new Date(value) : value
}

const own = Symbol('kolba.collection.key')

/** Koa's keys, where each is long enough. */
export function appKeys(app: Kolba): readonly string[] | undefined {
  const { keys } = app as { keys?: unknown }
  return Array.isArray(keys) && keys.length > 0 && keys.every(isKey) ? keys : undefined
}

/** Those of the app, else one of this process. */
function keysOf(app: Kolba & { [own]?: Buffer }): readonly (string | Buffer)[] {
  const keys = appKeys(app)
  if (keys) return keys
  if (!app[own]) {
    app[own] = randomBytes(KEY)
    app.logger.warn({}, `collection: cursors end with this process. Give secret, or kolba({ keys }) of ${KEY} bytes.`)
  }
  return [app[own]]
}
