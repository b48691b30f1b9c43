import { type BaseContext, isBare, isFixed, keyOf as keyOfParts, type Route } from '../../src/index.ts'

/** What a user may be found by, beside the headers that are always looked at. */
type Personal = BaseContext & { user?: unknown }

export interface KeyOptions {
  /** Where the `cached()` stands, among all places that it stands in. */
  readonly place: string
  readonly shared: boolean
  readonly key: ((ctx: never) => string) | undefined
  /** Further headers in which clients say who they are. */
  readonly credentials: readonly string[]
  readonly known: Known
}

/**
 * What an answer is kept under, before its Vary is known: place, URL, user, and what `key` adds. Each part says its
 * length, so that no two lists of parts give the same key, whatever is in them.
 *
 * The scheme and the host belong to the URL (RFC 9111 section 2): a link in the answer may be made of them, and one
 * client's Host must not get into another's answer. So does what a middleware has cut off, such as the name of a tenant.
 *
 * @returns undefined where the user cannot be told from others, so that nothing may be kept
 * @throws TypeError where `key` gives no string
 */
export function keyOf(ctx: Personal, options: KeyOptions): string | undefined {
  const { request, originalUrl } = ctx
  const { place, shared, key } = options
  const method = request.method === 'QUERY' ? '-QUERY' : ''
  let text = part(place + method) + part(request.protocol) + part(request.host) + part(request.url)
  text += part(originalUrl === request.url ? undefined : originalUrl)
  if (!shared) {
    const person = personOf(ctx, options)
    if (person === undefined) return undefined
    text += part(person)
  }
  if (!key) return text
  const added: unknown = key(ctx as never)
  if (typeof added === 'string') return text + part(added)
  throw new TypeError(`cached: the option key gave a ${typeof added}. Return a string.`)
}

/** The same for one representation: with the values of those request headers that Vary names (RFC 9111 section 4.1). */
export function variantOf(key: string, names: readonly string[], { req }: BaseContext): string {
  return names.reduce((text, name) => text + part(name) + part(req.headers[name]), key)
}

/** The headers in which clients of a route say who they are, as the notes of its decorators have it. */
export function credentialsOf({ notes }: Route): string[] {
  const schemes = notes.flatMap(({ security }) => Object.values(security ?? {}).map(({ scheme }) => scheme))
  return (schemes as { type?: string; in?: string; name?: unknown }[])
    .filter(({ type, in: place }) => type === 'apiKey' && place === 'header')
    .map(({ name }) => String(name).toLowerCase())
}

const NOBODY = '-'

function part(value: string | readonly string[] | undefined): string {
  const text = textOf(value)
  return text === undefined ? NOBODY : `${text.length}:${text}`
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
}

/** Who users are that will not change any more, such as the claims of a token, with the credentials that they sent. */
type Known = WeakMap<object, { readonly credentials: Credentials; readonly person: string }>

type Credentials = readonly (string | undefined)[]

/** Who asks, by credentials and users, in few bytes. */
function personOf({ req, user, state }: Personal, { credentials: names, known }: KeyOptions): string | undefined {
  const { headers } = req
  const credentials = [headers.authorization, headers.cookie]
  for (const name of names) credentials.push(textOf(headers[name]))
  const isAlone = typeof user === 'object' && user !== null && (state.user ?? user) === user
  const before = isAlone ? known.get(user) : undefined
  if (before && areSame(before.credentials, credentials)) return before.person

  const its = userPart(user)
  const koas = state.user === user ? its : userPart(state.user)
  if (its === undefined || koas === undefined) return undefined
  const person = keyOfParts(its, koas, ...credentials.map(text => text ?? null))
  if (isAlone && isFixed(user)) known.set(user, { credentials, person })
  return person
}

function areSame(some: Credentials, others: Credentials): boolean {
  for (let index = 0; index < some.length; index += 1) if (some[index] !== others[index]) return false
  return true
}

function userPart(user: unknown): string | undefined {
  return user === undefined || user === null ? NOBODY : partOf(user)
}

function partOf(user: unknown): string | undefined {
  const text = jsonOf(user)
  if (text === undefined || text === '{}' || text === '[]' || text === 'null') return undefined
  // What JSON sees nothing of, such as private fields and a Map, may be all that tells users apart.
  return isShown(user) || hasId(JSON.parse(text)) ? part(text) : undefined
}

/** Is it plain data, of which JSON shows everything? */
function isShown(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return typeof value !== 'symbol' && typeof value !== 'function'
  if (value instanceof Date) return isShown(value.getTime())
  // Neither with holes, nor with names beside its numbers.
  if (Array.isArray(value)) return Object.keys(value).length === value.length && value.every(isShown)
  const isPlain = Object.getPrototypeOf(value) === Object.prototype || isBare(value)
  return isPlain && !('toJSON' in value) && Reflect.ownKeys(value).every(key => isShownKey(value, key))
}

function isShownKey(value: object, key: string | symbol): boolean {
  const isSeen = typeof key === 'string' && Object.prototype.propertyIsEnumerable.call(value, key)
  return isSeen && isShown(value[key as never])
}

const IDS = ['id', '_id', 'sub']

/** Is there a name in it that users do not share, whatever else JSON may not see? */
function hasId(user: object): boolean {
  return IDS.some(name => ['string', 'number'].includes(typeof user[name as never]))
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // A circle, or a BigInt: the caller keeps nothing then.
    return undefined
  }
}
