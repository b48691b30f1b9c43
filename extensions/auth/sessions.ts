import { randomBytes } from 'node:crypto'
import { hashToken, isSecretToken, secretToken } from './secret-token.ts'
import type { TokenStore } from './store.ts'

/** Somebody who has signed in once, and all refresh tokens since. */
export interface Session {
  readonly subject: string
  /** Milliseconds since 1970, as everywhere here. */
  readonly until: number
}

/** A refresh token as it is stored: under its hash, good once. */
interface Kept {
  readonly session: string
  readonly until: number
}

export interface SessionOptions {
  readonly store: TokenStore
  readonly prefix: string
  /** Seconds. */
  readonly refresh: number
  readonly session: number
  readonly grace: number
}

type Tell = (session: string) => void

/** A refresh token that may be exchanged, its session found. */
export interface Turn {
  readonly id: string
  readonly session: Session
  /** @returns the next token, undefined where another has been quicker */
  take(): Promise<string | undefined>
  end(): Promise<void>
}

/**
 * Sessions, and their refresh tokens, of which each is good once.
 *
 * Who shows one a second time has stolen it, or somebody else has: nobody knows which, so the session ends (RFC 9700
 * section 4.14.2). Two at the same time are the same: `delete` of the store tells one of them that it was first.
 */
export function sessionsIn({ store, prefix, refresh, session: longest, grace }: SessionOptions) {
  const read = async <T>(key: string): Promise<T | undefined> => {
    const text = await store.get(key)
    return typeof text === 'string' ? JSON.parse(text) : undefined
  }
  const write = async (key: string, value: object, until: number) => {
    await store.set(key, JSON.stringify(value), Math.max(1, Math.ceil((until - Date.now()) / 1000)))
  }
  const remove = async (key: string): Promise<boolean> => {
    const answer: unknown = await store.delete(key)
    if (typeof answer === 'boolean' || typeof answer === 'number') return Number(answer) > 0
    throw new TypeError('issueTokens: delete of the store must say whether the key was there. Return true or false.')
  }

  async function add(id: string, { until }: Session): Promise<string> {
    const { token, hash } = secretToken(prefix)
    const end = Math.min(until, Date.now() + refresh * 1000)
    await write(`refresh:${hash}`, { session: id, until: end } satisfies Kept, end)
    return token
  }

  async function start(subject: string): Promise<{ id: string; token: string }> {
    const id = randomBytes(16).toString('base64url')
    const session: Session = { subject, until: Date.now() + longest * 1000 }
    await write(`session:${id}`, session, session.until)
    return { id, token: await add(id, session) }
  }

  async function find(id: string): Promise<Session | undefined> {
    const session = await read<Session>(`session:${id}`)
    return session && session.until > Date.now() ? session : undefined
  }

  const end = async (id: string) => void (await remove(`session:${id}`))

  /** Ends the session of a token that was used before. */
  async function punish(hash: string, tell: Tell): Promise<void> {
    const used = await read<{ session: string; at: number }>(`used:${hash}`)
    if (!used || Date.now() - used.at < grace * 1000) return
    if (await remove(`session:${used.session}`)) tell(used.session)
  }

  /** Finds what a refresh token may be exchanged for; tells of a session that has ended because one was used twice. */
  async function open(token: unknown, tell: Tell): Promise<Turn | undefined> {
    if (!isSecretToken(prefix, token)) return
    const hash = hashToken(token)
    const kept = await read<Kept>(`refresh:${hash}`)
    if (!kept) return void (await punish(hash, tell))
    const id = kept.session
    const session = kept.until > Date.now() ? await find(id) : undefined
    if (!session) return
    return {
      id,
      session,
      end: () => end(id),
      async take() {
        // That it is used is written before it is taken, so that nobody finds it neither here nor there.
        await write(`used:${hash}`, { session: id, at: Date.now() }, session.until)
        if (await remove(`refresh:${hash}`)) return add(id, session)
        await punish(hash, tell)
        return undefined
      },
    }
  }

  /** Ends the session of a refresh token, used or not. Of any other text nothing is said and nothing done. */
  async function revoke(token: unknown): Promise<void> {
    if (!isSecretToken(prefix, token)) return
    const hash = hashToken(token)
    const kept = (await read<Kept>(`refresh:${hash}`)) ?? (await read<{ session: string }>(`used:${hash}`))
    if (kept) await end(kept.session)
    await remove(`refresh:${hash}`)
  }

  return { start, find, open, revoke }
}
