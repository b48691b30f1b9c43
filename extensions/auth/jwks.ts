import { type Awaitable, type BaseContext, problem, when } from '../../src/index.ts'
import { isObject, object } from './json.ts'
import { choose, type KeyRing, type KeyTable, type KeyWish, tableOf, usableOf } from './key-ring.ts'
import type { Algorithm, VerifyingKey } from './keys.ts'

const FRESH = 10 * 60_000
const PATIENCE = 60_000
const RETRY = 5_000
const TIMEOUT = 5_000
const LARGEST = 256 * 1024

/**
 * The keys that an issuer publishes (RFC 7517 section 5), fetched from this address and from no other, whatever a token
 * says. They are fetched when the first token comes, again after 10 minutes, and for a `kid` that is unknown at most once
 * a minute; at most 256 KiB within 5 s, without redirects. While that fails the last good ones count, and without any
 * the answer is 503. Whoever needs them at the same time waits for the same fetch.
 *
 * @throws TypeError for an address that is not https; http is for this machine alone
 */
export function remoteKeys(where: string, address: string | URL, algorithms?: readonly Algorithm[]): KeyRing {
  const url = readAddress(where, address)
  let table: KeyTable | undefined
  let freshUntil = 0
  let failedAt = Number.NEGATIVE_INFINITY
  let askedAt = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined

  async function load(ctx: BaseContext): Promise<void> {
    try {
      table = tableOf(usableOf(await fetchKeys(url), algorithms, true))
      freshUntil = Date.now() + FRESH
    } catch (error) {
      failedAt = Date.now()
      const message = `${where}: the keys at ${url.origin}${url.pathname} could not be fetched.`
      ctx.app.logger.warn({ err: error, requestId: ctx.requestId }, message)
    } finally {
      pending = undefined
    }
  }

  function refresh(ctx: BaseContext): Promise<KeyTable | undefined> {
    pending ??= load(ctx)
    return pending.then(() => table)
  }

  function current(ctx: BaseContext): Awaitable<KeyTable> {
    const now = Date.now()
    const pause = table ? PATIENCE : RETRY
    const isDue = now >= freshUntil && now >= failedAt + pause
    return when(isDue ? refresh(ctx) : table, table => {
      if (table) return table
      const detail = `${where}: there are no keys from ${url.origin} to verify tokens with.`
      throw problem(503, { detail, headers: { 'Retry-After': '5' } })
    })
  }

  function find(wish: KeyWish, ctx: BaseContext) {
    return when(current(ctx), table => {
      if (wish.kid === undefined || table.has(wish.kid)) return choose(table, wish)
      const now = Date.now()
      if (!pending && now < askedAt + PATIENCE) return choose(table, wish)
      askedAt = pending ? askedAt : now
      return when(refresh(ctx), table => table && choose(table, wish))
    })
  }

  /** By its material and by what the issuer says that it is for: both may have changed under one kid. */
  function isCurrent(wish: KeyWish, { key }: VerifyingKey, ctx: BaseContext) {
    return when(current(ctx), table => {
      const now = choose(table, wish)
      return now !== undefined && (now.key === key || now.key.equals(key))
    })
  }

  return { find, isCurrent }
}

function readAddress(where: string, address: string | URL): URL {
  const url = URL.canParse(String(address)) ? new URL(address) : undefined
  const isHere = url && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url?.protocol === 'https:' || (isHere && url.protocol === 'http:')) {
    if (url.username === '' && url.password === '') return url
    throw new TypeError(`${where}: the address has a name or a password in it. Leave them out; the keys are public.`)
  }
  throw new TypeError(`${where}: this is no https address. Give 'https://...'; http is for this machine alone.`)
}

async function fetchKeys(url: URL): Promise<readonly unknown[]> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT),
    headers: { Accept: 'application/jwk-set+json, application/json' },
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`The answer was ${response.status}.`)
  }
  const set = object(await readAll(response))
  if (!isObject(set) || !Array.isArray(set.keys)) throw new Error('The answer was no JWK Set.')
  return set.keys
}

/** Counts what comes, after inflation, and believes no Content-Length. */
async function readAll({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > LARGEST) throw new Error(`The answer was larger than ${LARGEST} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
