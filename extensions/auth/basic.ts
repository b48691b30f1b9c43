import {
  type AroundContext,
  type BaseContext,
  checkOptions,
  type Decorator,
  isPromise,
  kinds,
  when,
} from '../../src/index.ts'
import { challengeOf, printable, type Refusal } from './challenge.ts'
import { isToken68, malformed, readAuthorization } from './credentials.ts'
import { authentication, type Identity } from './scheme.ts'
import { isSomebody } from './somebody.ts'

export interface BasicOptions {
  /** What the browser asks the password for. @default 'api' */
  realm?: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Asks for a name and a password with each request (RFC 7617, in UTF-8), and adds `ctx.user`: what `verify` gives;
 * undefined, null or false is 401. The password is in every request, so this is for https, and for machines or the route
 * that gives a token: to compare it with a hash takes its time each time.
 *
 * @throws TypeError for a wrong option
 * @example
 * basicAuth(async (name, password) => {
 *   const account = await accounts.get(name)
 *   const isRight = await verifyPassword(password, account?.passwordHash)   // as long for a name that is not there
 *   return isRight ? account : undefined
 * })
 */
export function basicAuth<R, Needs = unknown>(
  verify: (name: string, password: string, ctx: AroundContext & Needs) => R,
  options: BasicOptions = {},
): Decorator<{ user: Exclude<Awaited<R>, undefined | null | false> }, BaseContext & Needs> {
  if (!kinds.function.test(verify))
    throw new TypeError('basicAuth: there is no function to verify with. Give (name, password) => user.')
  checkOptions('basicAuth', options, { realm: printable })
  const { realm = 'api' } = options
  const challenge = challengeOf('Basic', { realm, charset: 'UTF-8' })
  const wrong: Refusal = { status: 401, detail: 'The name or the password is wrong.', challenge }
  const outcome = (user: unknown): Identity | Refusal => (isSomebody('basicAuth', user) ? { user, challenge } : wrong)
  return authentication('basicAuth', {
    challenges: [challenge],
    headers: ['Authorization'],
    takes: ['Basic'],
    security: { basic: { scheme: { type: 'http', scheme: 'basic' } } },
    authenticate(ctx) {
      const credentials = readAuthorization(ctx.req, 'Basic')
      if (!credentials) return
      const { token, fault } = credentials
      if (token === undefined) return { status: 400, detail: fault, challenge }
      if (!isToken68(token)) return { status: 400, detail: malformed('Basic'), challenge }
      const pair = readPair(token)
      if (!pair) return wrong
      const user: unknown = verify(...pair, ctx as AroundContext & Needs)
      return isPromise(user) ? when(user, outcome) : outcome(user)
    },
  }) as never
}

/** The name before the first colon, the password behind it; no control characters, RFC 7617 section 2. */
function readPair(token: string): [name: string, password: string] | undefined {
  const bytes = Buffer.from(token, 'base64')
  if (bytes.toString('base64') !== token) return
  try {
    const text = utf8.decode(bytes)
    const colon = text.indexOf(':')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (colon < 0 || /[\x00-\x1f\x7f]/.test(text)) return
    return [text.slice(0, colon), text.slice(colon + 1)]
  } catch {
    return
  }
}
