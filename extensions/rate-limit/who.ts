import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  type ClientAddress,
  type KeyPart,
  keyOf,
  principalOf,
  readAddress,
  rememberFixed,
  when,
} from '../../src/index.ts'
import { tellOnce } from './misuse.ts'

/** Whose requests are counted together. */
export type Key<Needs = unknown> =
  | 'user'
  | 'address'
  | ((ctx: AroundContext & Needs) => Awaitable<KeyPart | readonly KeyPart[] | undefined>)

/** The key of whoever a request is counted for. The first letter keeps the kinds apart. */
export function whoOf(ctx: AroundContext, key: Key<never>): Awaitable<string> {
  if (typeof key !== 'function') return key === 'user' ? userOf(ctx) : addressOf(ctx)
  return when(key(ctx as never), given => {
    if (given === undefined || given === null) return userOf(ctx)
    const parts = [given].flat() as KeyPart[]
    if (parts.every(isPart)) return `k${keyOf(...parts)}`
    throw new TypeError('rateLimit: the option key gave what is no key. Return text, a number, or a list of them.')
  })
}

function isPart(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return value === null || ['string', 'bigint', 'boolean'].includes(typeof value)
}

function userOf(ctx: BaseContext & { user?: unknown }): string {
  const { user } = ctx
  return user === undefined || user === null ? addressOf(ctx) : keyOfUser(user)
}

const keyOfUser = rememberFixed(user => `u${principalOf({ user } as never)}`)

const BEHIND_A_PROXY =
  'rateLimit: a request came with X-Forwarded-For or Forwarded, and no proxy is named, so all who come through one ' +
  "share one limit. Name it where there is one: kolba({ proxy: ['10.0.0.0/8'] })."

function addressOf(ctx: BaseContext & { clientAddress?: ClientAddress }): string {
  const { headers } = ctx.req
  if ((headers['x-forwarded-for'] ?? headers.forwarded) !== undefined && ctx.app.settings.proxy.length === 0)
    tellOnce(ctx, BEHIND_A_PROXY)
  return `a${ctx.clientAddress?.network ?? readAddress(ctx.ip)?.network ?? keyOf(ctx.ip)}`
}
