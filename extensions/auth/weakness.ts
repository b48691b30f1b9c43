import type { KeyObject } from 'node:crypto'

/** What is too weak about a key, with what to do; undefined for nothing. RFC 7518 sections 3.2, 3.3 and 3.5. */
export function weaknessOf(key: KeyObject, algorithms: readonly string[]): string | undefined {
  if (key.type === 'secret') return weaknessOfSecret(key, algorithms)
  if (!key.asymmetricKeyType?.startsWith('rsa')) return
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < 2048) return `an RSA key of ${modulusLength} bits is too short. Give one of at least 2048.`
  if (publicExponent < 3n || publicExponent % 2n === 0n) return 'its public exponent makes it no key. Give another.'
  if (isRoca(key)) return 'it was made by a chip with a flaw (CVE-2017-15361), and can be broken. Make another.'
}

function weaknessOfSecret({ symmetricKeySize = 0 }: KeyObject, algorithms: readonly string[]): string | undefined {
  const least = Math.max(...algorithms.map(algorithm => Number(algorithm.slice(2)) / 8))
  if (symmetricKeySize >= least) return
  const advice = `node -p "crypto.randomBytes(${least}).toString('base64')" makes one`
  return `a secret of ${symmetricKeySize} bytes is too short. Give at least ${least}; ${advice}.`
}

/** Such a modulus is a power of 65537 modulo each of these primes; another is by a chance of one in 2^27 or so. */
const PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

function isRoca(key: KeyObject): boolean {
  // A key of the type rsa-pss has no JWK, and is not made by those chips.
  if (key.asymmetricKeyType !== 'rsa') return false
  const { n = '' } = key.export({ format: 'jwk' })
  const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
  return PRIMES.every(prime => {
    const rest = Number(modulus % BigInt(prime))
    const base = 65537 % prime
    for (let power = 1, count = 0; count < prime; power = (power * base) % prime, count += 1)
      if (power === rest) return true
    return false
  })
}
