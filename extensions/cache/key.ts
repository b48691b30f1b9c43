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

/** What an answer is kept under, before its Vary is known. */
export interface Parts {
  readonly url: string
  /** Place, scheme, host, user, and what `key` adds. For a user that cannot change it is most often the same text. */
  readonly asker: string
}

/**
 * The parts of a request's key. What `asker` is made of says its length, so that no two lists of it give the same text,
 * whatever is in them.
 *
 * The scheme and the host belong to the URL (RFC 9111 section 2): a link in the answer may be made of them, and one
 * client's Host must not get into another's answer. So does what a middleware has cut off, such as the name of a tenant.
 *
 * @returns undefined where the user cannot be told from others, so that nothing may be kept
 * @throws TypeError where `key` gives no string
 */
export function partsOf(ctx: Personal, options: KeyOptions): Parts | undefined {
  const { request, originalUrl } = ctx
  const { method, url } = request
  let asker = askerOf(ctx, options)
  if (asker === undefined) return undefined
  if (method === 'QUERY') asker += 'q'
  if (originalUrl !== url) asker += `o${part(originalUrl)}`
  if (options.key) asker += `k${part(addedBy(options.key, ctx))}`
  return { url, asker }
}

/** A key as one text. */
export function textOf({ url, asker }: Parts): string {
  return part(asker) + part(url)
}

function addedBy(key: (ctx: never) => string, ctx: Personal): string {
  const added: unknown = key(ctx as never)
  if (typeof added === 'string') return added
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
  const text = lineOf(value)
  return text === undefined ? NOBODY : `${text.length}:${text}`
}

function lineOf(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
}

/** How users ask that will not change any more, such as the claims of a token. */
type Known = WeakMap<object, { readonly traits: Traits; readonly asker: string }>

/** Scheme, host, and the credentials that were sent. */
type Traits = readonly (string | undefined)[]

function askerOf({ req, request, user, state }: Personal, options: KeyOptions): string | undefined {
  const { protocol, host } = request
  const { place, shared, credentials: names, known } = options
  if (shared) return part(place) + part(protocol) + part(host)
  const { headers } = req
  const traits = [protocol, host, headers.authorization, headers.cookie]
  for (const name of names) traits.push(lineOf(headers[name]))
  const isAlone = typeof user === 'object' && user !== null && (state.user ?? user) === user
  const before = isAlone ? known.get(user) : undefined
  if (before && areSame(before.traits, traits)) return before.asker

  const its = userPart(user)
  const koas = state.user === user ? its : userPart(state.user)
  if (its === undefined || koas === undefined) return undefined
  const credentials = traits.slice(2).map(text => text ?? null)
  const asker = part(place) + part(protocol) + part(host) + part(keyOfParts(its, koas, ...credentials))
  if (isAlone && isFixed(user)) known.set(user, { traits, asker })
  return asker
}

function areSame(some: Traits, others: Traits): boolean {
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
