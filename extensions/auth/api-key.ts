import {
  type AroundContext,
  type BaseContext,
  checkOptions,
  type Decorator,
  isPromise,
  type Kind,
  kinds,
  when,
} from '../../src/index.ts'
import { challengeOf, printable, type Refusal } from './challenge.ts'
import { readKey } from './credentials.ts'
import { authentication, type Identity } from './scheme.ts'
import { isSecretToken, prefix } from './secret-token.ts'
import { isSomebody } from './somebody.ts'

export interface ApiKeyOptions<R, Needs = unknown> {
  /** Gives whose key it is; undefined is 401. Look it up by `hashToken(key)`, so that what is stored is no key. */
  verify: (key: string, ctx: AroundContext & Needs) => R
  /** The header that has the key. @default 'X-API-Key' */
  header?: string
  /** That of keys which `secretToken(prefix)` makes: others are 401, and nothing is looked up for them. */
  prefix?: string
  /** What the challenge names. @default 'api' */
  realm?: string
}

const header: Kind = {
  words: "the name of a header, 'X-API-Key'; for Authorization there is tokenAuth({ verify })",
  test: it =>
    typeof it === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(it) && !/^(?:proxy-)?authorization$|^cookie$/i.test(it),
}
const OPTIONS = { verify: kinds.function, header, prefix, realm: printable }

/**
 * Asks for a key in a header of its own, and adds `ctx.user`: what `verify` gives. The answers have a `Vary` with that
 * header, because a cache in between does not know that it has credentials in it.
 *
 * There is no standard scheme for it. The challenge of a 401 is `ApiKey realm="api", header="X-API-Key"`.
 *
 * @throws TypeError for a wrong option
 * @example apiKey({ prefix: 'shop', verify: key => clients.find(hashToken(key)) })
 */
export function apiKey<R, Needs = unknown>(
  options: ApiKeyOptions<R, Needs>,
): Decorator<{ user: Exclude<Awaited<R>, undefined | null | false> }, BaseContext & Needs> {
  checkOptions('apiKey', options ?? {}, OPTIONS)
  const { verify, header: name = 'X-API-Key', prefix, realm = 'api' } = options ?? {}
  if (!verify) throw new TypeError('apiKey: there is no verify. Give apiKey({ verify: key => user }).')
  const challenge = challengeOf('ApiKey', { realm, header: name })
  const wrong: Refusal = { status: 401, detail: 'The key is not valid.', challenge }
  const outcome = (user: unknown): Identity | Refusal => (isSomebody('apiKey', user) ? { user, challenge } : wrong)
  return authentication('apiKey', {
    challenges: [challenge],
    headers: [name],
    takes: [name.toLowerCase()],
    security: { [name]: { scheme: { type: 'apiKey', in: 'header', name } } },
    authenticate(ctx) {
      const credentials = readKey(ctx.req, name.toLowerCase())
      if (!credentials) return
      const { token, fault } = credentials
      if (token === undefined) return { status: 400, detail: fault, challenge }
      if (prefix !== undefined && !isSecretToken(prefix, token)) return wrong
      const user: unknown = verify(token, ctx as AroundContext & Needs)
      return isPromise(user) ? when(user, outcome) : outcome(user)
    },
  }) as never
}
