import { createPrivateKey, createSecretKey } from 'node:crypto'
import { type BaseContext, kolba } from 'kolba'
import { type Jwk, type Keys, tokenAuth } from 'kolba/auth'
import { readKeys, ringOf, verifySignature } from '../../support/inside-auth.ts'
import { bearer, claims, signature } from '../../support/tokens.ts'
import { testVectors } from '../../support/vectors.ts'

interface Group {
  readonly comment: string
  readonly private: Jwk
  readonly public?: Jwk
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    /** An object where it is in JSON serialisation, which no header can hold as it is. */
    readonly jws?: string | object
    readonly jwe?: string | object
    readonly result: 'valid' | 'invalid'
  }[]
}

/** Where the recorded answer is another one, and why, by file and number of the case. */
const EMPTY =
  'RFC 7519 section 7.2: the payload of a JWT is JSON, and nothing is none; jsonwebtoken takes no empty payload'
const SAME = 'the text is that of case 357, which is valid: the padding that it is about got lost on the way'
const ALPHABET = 'RFC 7515 section 2: base64url without any other characters'
const PINNED = 'RFC 7517 section 4.4: the alg of the key is another, and what a key says of itself is pinned'
const UNKNOWN = 'RFC 7518 section 3.1 has no ES521, which the alg of the key says'
const DIFFERENCES: Record<string, string> = {
  'signature 259': EMPTY,
  'signature 264': EMPTY,
  'signature 268': EMPTY,
  'signature 272': EMPTY,
  'signature 320': EMPTY,
  'signature 325': EMPTY,
  'signature 367': SAME,
  'signature 370': SAME,
  'signature 372': ALPHABET,
  'signature 373': ALPHABET,
  'signature 346': PINNED,
  'signature 350': PINNED,
  'signature 347': UNKNOWN,
  'signature 351': UNKNOWN,
}

function written(token: string | object): string {
  return typeof token === 'string' ? token : JSON.stringify(token)
}

const lenient = { issuer: false, audience: false, expires: false } as const

/** Undefined where the keys are refused when the program starts. */
function ring(keys: Keys) {
  try {
    return ringOf('vectors', readKeys('vectors', keys))
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** Is the signature good? */
async function isVerified(keys: Keys, jws: string): Promise<boolean> {
  const its = ring(keys)
  return its !== undefined && (await verifySignature(jws, its, {} as BaseContext)) !== undefined
}

/** The status that a route gives. */
async function statusOf(keys: Keys, text: string): Promise<number> {
  const app = kolba()
  if (!ring(keys)) return 401
  app.get('/', tokenAuth({ keys, ...lenient }), () => 'in')
  return (await app.client().get('/', bearer(text))).status
}

for (const name of ['signature', 'key', 'crypto']) {
  const title = `tokenAuth() answers the JWS cases of Wycheproof (${name}) as recorded`
  testVectors(title, `wycheproof-jose/json_web_${name}_test.json`, async (t, text) => {
    const { testGroups } = JSON.parse(text) as { testGroups: Group[] }
    const wrong: string[] = []
    const seen = { valid: 0, invalid: 0 }
    for (const group of testGroups) {
      const keys = (group.public ?? group.private) as Keys
      for (const { tcId, comment, jws: given, result } of group.tests) {
        if (given === undefined) continue
        const jws = written(given)
        seen[result] += 1
        const label = `${name} ${tcId}`
        const verified = await isVerified(keys, jws)
        if (verified !== (result === 'valid') && !(label in DIFFERENCES)) wrong.push(`${label} ${comment}: ${verified}`)
        if (verified === (result === 'valid') && label in DIFFERENCES) wrong.push(`${label}: there is no difference`)
        // None of the payloads is a JSON object, so no route takes any.
        const status = await statusOf(keys, jws)
        if (status !== 401 && status !== 400) wrong.push(`${label} ${comment}: ${status}`)
      }
    }
    t.deepEqual(wrong, [])
    t.log(
      `${seen.valid} valid, ${seen.invalid} invalid; ${Object.keys(DIFFERENCES).length} recorded differences in all`,
    )
    t.true(seen.valid + seen.invalid > 20)
  })
}

testVectors(
  'tokenAuth() takes claims signed with each key of Wycheproof that has valid cases',
  'wycheproof-jose/json_web_signature_test.json',
  async (t, text) => {
    const { testGroups } = JSON.parse(text) as { testGroups: Group[] }
    const algorithms = new Set<string>()
    for (const { tests, ...group } of testGroups) {
      const alg = String(group.private.alg ?? '')
      if (alg === 'ES521' || !tests.some(({ result }) => result === 'valid')) continue
      const jwk = { ...(group.private as object), use: undefined } as unknown as Jwk
      const key =
        jwk.kty === 'oct'
          ? createSecretKey(Buffer.from(String(jwk.k), 'base64url'))
          : createPrivateKey({ key: jwk as never, format: 'jwk' })
      const parts = [{ alg, kid: jwk.kid }, claims()].map(it => Buffer.from(JSON.stringify(it)).toString('base64url'))
      const input = parts.join('.')
      const its = (group.public ?? group.private) as Keys
      t.is(await statusOf(its, `${input}.${signature(input, key, alg)}`), 200, group.comment)
      algorithms.add(alg)
    }
    t.deepEqual([...algorithms].sort(), ['ES256', 'HS256', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'])
  },
)

testVectors(
  'tokenAuth() takes the cases whose key says a wrong alg, where it is left out and the right one given',
  'wycheproof-jose/json_web_signature_test.json',
  async (t, text) => {
    const { testGroups } = JSON.parse(text) as { testGroups: Group[] }
    for (const { tests, ...group } of testGroups) {
      for (const { tcId, jws: given = '' } of tests) {
        const jws = written(given)
        if (![346, 347, 350, 351].includes(tcId)) continue
        const { alg, ...key } = group.public as Jwk
        const pinned = tcId % 2 === 0 ? 'PS384' : 'ES512'
        const its = ringOf('vectors', readKeys('vectors', key as unknown as Jwk, [pinned]))
        t.truthy(await verifySignature(jws, its, {} as BaseContext), `${tcId}`)
      }
    }
  },
)

for (const name of ['encryption', 'crypto']) {
  testVectors(
    `tokenAuth() refuses every JWE of Wycheproof (${name})`,
    `wycheproof-jose/json_web_${name}_test.json`,
    async (t, text) => {
      const { testGroups } = JSON.parse(text) as { testGroups: Group[] }
      const app = kolba()
      app.get('/', tokenAuth({ secret: 'x'.repeat(32), ...lenient }), () => 'in')
      const client = app.client()
      let count = 0
      for (const { jwe: given } of testGroups.flatMap(({ tests }) => tests)) {
        if (given === undefined) continue
        const jwe = written(given)
        const { status } = await client.get('/', bearer(jwe))
        t.true(status === 401 || status === 400, `${status} for ${jwe.slice(0, 60)}`)
        count += 1
      }
      t.true(count > 10)
      t.log(`${count} tokens`)
    },
  )
}
