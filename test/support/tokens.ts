import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { BaseContext } from 'kolba'

/** Thirty-two bytes and more, for HS256 to HS512. */
export const SECRET = 'correct horse battery staple, correct horse battery staple, and so on'

/** What the tests expect of a token, and a token that has it. */
export const EXPECTED = { issuer: 'https://id.example.com', audience: 'shop' }

export function claims(more: object = {}): Record<string, unknown> {
  return { iss: EXPECTED.issuer, aud: EXPECTED.audience, sub: 'ada', exp: now() + 300, ...more }
}

export function now(): number {
  return Math.floor(Date.now() / 1000)
}

export function base64url(value: string | Uint8Array | object): string {
  const isBytes = typeof value === 'string' || value instanceof Uint8Array
  return Buffer.from(isBytes ? (value as string) : JSON.stringify(value)).toString('base64url')
}

/** A token of any header and any payload, texts as they are, signed as it should be: nothing of it is checked. */
export function token(
  header: string | object,
  payload: string | Uint8Array | object,
  key: KeyObject | string | Uint8Array = SECRET,
  algorithm = 'HS256',
): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${signature(input, key, algorithm)}`
}

export function signature(input: string, key: KeyObject | string | Uint8Array, algorithm: string): string {
  const hash = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('HS')) return createHmac(hash, key).update(input).digest('base64url')
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  const options = algorithm.startsWith('PS') ? pss : { dsaEncoding: 'ieee-p1363' as const }
  return sign(hash, Buffer.from(input), { key: key as KeyObject, ...options }).toString('base64url')
}

/** A good one with HS256. */
export function good(more: object = {}, header: object = {}): string {
  return token({ alg: 'HS256', typ: 'JWT', ...header }, claims(more))
}

export function bearer(text: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${text}` } }
}

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A handler that says who calls. */
export const whoami = (ctx: BaseContext & { user: unknown }) => ({ user: ctx.user })
