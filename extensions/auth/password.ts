import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { checkOptions, type Kind, problem } from '../../src/index.ts'

export interface PasswordOptions {
  /** The work as a power of two, 14 to 20: one more takes twice the time and the memory. @default 15 */
  cost?: number
}

interface Parameters {
  /** The logarithm of N. */
  readonly ln: number
  readonly r: number
  readonly p: number
}

const LONGEST = 1024
const BYTES = 32
const cost: Kind = {
  words: 'a whole number from 14 to 20',
  test: it => Number.isInteger(it) && (it as number) >= 14 && (it as number) <= 20,
}
const ENCODED = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]{22,86})\$([\w+/]{43})$/

/**
 * Hashes a password with scrypt (RFC 7914), for storage: `$scrypt$ln=15,r=8,p=3$salt$hash`.
 *
 * The default, N = 2^15, r = 8, p = 3, is one of those that OWASP lists as equal; it takes 32 MiB and about 0.25 s of one
 * core (2^17 with p = 1 takes 128 MiB and 0.45 s), in one of libuv's four threads. So limit how often one may try.
 *
 * @throws Problem 422 for a password of more than 1,024 bytes; TypeError for a wrong option
 */
export async function hashPassword(password: string, options: PasswordOptions = {}): Promise<string> {
  checkOptions('hashPassword', options, { cost })
  const bytes = bytesOf(password)
  if (!bytes) throw problem(422, { detail: 'A password has at most 1,024 bytes.' })
  const parameters = wanted(options)
  const salt = randomBytes(16)
  const key = await derive(bytes, salt, parameters)
  const { ln, r, p } = parameters
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(key)}`
}

/**
 * Compares a password with what `hashPassword` gave, in constant time. Without a hash, for a name that is not there, it
 * takes as long and says no, so that names cannot be found out by the clock.
 *
 * @throws TypeError for what `hashPassword` did not give
 * @example
 * const account = await accounts.get(name)
 * if (!(await verifyPassword(password, account?.passwordHash))) return undefined
 */
export async function verifyPassword(
  password: string,
  encoded: string | undefined | null,
  options: PasswordOptions = {},
): Promise<boolean> {
  checkOptions('verifyPassword', options, { cost })
  const wish = wanted(options)
  const { parameters, salt, key } = read('verifyPassword', encoded ?? `$scrypt$ln=${wish.ln},r=8,p=${wish.p}$${NOBODY}`)
  // What is too long was never stored, and is not worth the time.
  const bytes = bytesOf(password)
  if (!bytes) return false
  return timingSafeEqual(await derive(bytes, salt, parameters), key) && typeof encoded === 'string'
}

/**
 * Is a hash of another cost than is wanted today? Ask when the password was right, and store it hashed anew.
 *
 * @throws TypeError for what `hashPassword` did not give
 * @example if (needsRehash(account.passwordHash)) await store(account.id, await hashPassword(password))
 */
export function needsRehash(encoded: string, options: PasswordOptions = {}): boolean {
  checkOptions('needsRehash', options, { cost })
  const wish = wanted(options)
  const { ln, r, p } = read('needsRehash', encoded).parameters
  return ln !== wish.ln || r !== wish.r || p !== wish.p
}

const NOBODY = `${'A'.repeat(22)}$${'A'.repeat(43)}`

/** From 2^17 on one pass is enough; below, more of them make up for the memory. */
function wanted({ cost = 15 }: PasswordOptions): Parameters {
  return { ln: cost, r: 8, p: { 14: 5, 15: 3, 16: 2 }[cost] ?? 1 }
}

/** RFC 8265 section 4.2.2 has NFC, so that an accent that is typed in two ways is one. */
function bytesOf(password: string): Buffer | undefined {
  if (typeof password !== 'string') throw new TypeError('hashPassword: a password is a string. Check the body first.')
  if (password.length > LONGEST) return
  const bytes = Buffer.from(password.normalize('NFC'))
  return bytes.length > LONGEST ? undefined : bytes
}

function read(where: string, encoded: string): { parameters: Parameters; salt: Buffer; key: Buffer } {
  const [, ln, r, p, salt = '', key = ''] = ENCODED.exec(encoded) ?? []
  const parameters = { ln: Number(ln), r: Number(r), p: Number(p) }
  // A row of the database decides how much is done, within limits.
  const isFit = parameters.ln >= 10 && parameters.ln <= 20 && parameters.r >= 1 && parameters.p >= 1
  if (!isFit || parameters.r > 16 || parameters.p > 16)
    throw new TypeError(`${where}: this is no hash of hashPassword(). Give what that returned.`)
  return { parameters, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') }
}

function derive(password: Buffer, salt: Buffer, { ln, r, p }: Parameters): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, BYTES, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
