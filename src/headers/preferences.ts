import type { BaseContext } from '../context.ts'
import { parse, write } from './prefer-grammar.ts'

/**
 * What a client prefers, RFC 7240: `ctx.prefer` below `prefer()` of kolba/prefer. What heeds a preference looks there,
 * and says so with `applied()`.
 */
export interface Preferences {
  /** What a write should answer with: next to nothing, or the resource as it is now. Section 4.2. */
  readonly return?: 'minimal' | 'representation' | undefined
  /** What becomes of a request that has mistakes one can live with. Section 4.4. */
  readonly handling?: 'strict' | 'lenient' | undefined
  /** How long the client waits for an answer before it would rather have a 202, in seconds. Section 4.3. */
  readonly wait?: number | undefined
  /** Would it rather have a 202 at once than wait for the result? Section 4.1. */
  readonly respondAsync: boolean
  /** Any preference by its name, in any case: its value, true where it has none, undefined where it was not sent. */
  get(name: string): string | true | undefined
  /** Says in `Preference-Applied` that this preference was heeded. One that was not sent is not said. */
  applied(name: string): void
}

const read = Symbol('kolba.preferences')

/**
 * What the client of a request prefers, read once however many ask. Whoever looks there says `Vary: Prefer` (section 2),
 * on every answer.
 */
export function preferencesOf(ctx: BaseContext & { [read]?: Preferences }): Preferences {
  const header = ctx.get('Prefer')
  if (!header) return NONE
  ctx[read] ??= preferencesIn(ctx, header)
  return ctx[read]
}

/** What most requests prefer. */
const NONE: Preferences = Object.freeze({ respondAsync: false, get: () => undefined, applied() {} })

function preferencesIn(ctx: BaseContext, header: string): Preferences {
  let all: ReadonlyMap<string, string | true> | undefined
  const applied = new Set<string>()
  const get = (name: string) => {
    all ??= parse(header)
    return all.get(name.toLowerCase())
  }
  return {
    get return() {
      return among(get('return'), 'minimal', 'representation')
    },
    get handling() {
      return among(get('handling'), 'strict', 'lenient')
    },
    get wait() {
      const text = get('wait')
      // RFC 9111 section 1.2.2: more seconds than one can count are 2^31 of them.
      return typeof text === 'string' && /^\d+$/.test(text) ? Math.min(Number(text), 2 ** 31) : undefined
    },
    get respondAsync() {
      return get('respond-async') === true
    },
    get,
    applied(name) {
      const value = get(name)
      if (value === undefined) return
      applied.add(write(name.toLowerCase(), value))
      ctx.set('Preference-Applied', [...applied].join(', '))
    },
  }
}

/** Values are told apart by case, and one that is not known is no preference: RFC 7240 section 2. */
function among<T extends string>(value: string | true | undefined, ...known: T[]): T | undefined {
  return known.find(it => it === value)
}
