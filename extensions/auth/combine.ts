import { type AroundContext, type Awaitable, type Decorator, type Problem, when } from '../../src/index.ts'
import { type Guard, guard, type Rule, refusalOf, ruleIn } from './permit.ts'

type AnyGuard = Decorator<{ user: NonNullable<unknown> }, never>
type WantsOf<D> = (D extends Decorator<object, infer N> ? (ctx: N) => void : never) extends (ctx: infer N) => void
  ? N
  : never

/** Lets pass whom all of these let pass. They are asked in turn, and the first that refuses is what is answered. */
export function and<const D extends readonly [AnyGuard, ...AnyGuard[]]>(
  ...guards: D
): Guard<unknown, WantsOf<D[number]>> {
  const rules = guards.map(it => ruleOf('and', it))
  const ask = (user: unknown, ctx: AroundContext, index: number): Awaitable<Problem | undefined> => {
    const next = rules[index]
    if (!next) return undefined
    return when(next.check(user, ctx), refusal => refusal ?? ask(user, ctx, index + 1)) as Awaitable<
      Problem | undefined
    >
  }
  return combined('and', guards, { scopes: scopesOf(rules), check: (user, ctx) => ask(user, ctx, 0) })
}

/** Lets pass whom one of these lets pass. They are asked in turn; where all refuse, what the first says is answered. */
export function or<const D extends readonly [AnyGuard, ...AnyGuard[]]>(
  ...guards: D
): Guard<unknown, WantsOf<D[number]>> {
  const rules = guards.map(it => ruleOf('or', it))
  const ask = (user: unknown, ctx: AroundContext, index: number, first?: Problem): Awaitable<Problem | undefined> => {
    const next = rules[index]
    if (!next) return first
    return when(next.check(user, ctx), refusal =>
      refusal ? ask(user, ctx, index + 1, first ?? refusal) : undefined,
    ) as Awaitable<Problem | undefined>
  }
  return combined('or', guards, { scopes: [], check: (user, ctx) => ask(user, ctx, 0) })
}

/** Lets pass whom this refuses: a user all the same, 401 without one. */
export function not<D extends AnyGuard>(guard: D): Guard<unknown, WantsOf<D>> {
  const { check } = ruleOf('not', guard)
  return combined('not', [guard], {
    scopes: [],
    check: (user, ctx) => when(check(user, ctx), refusal => (refusal ? undefined : refusalOf({}))),
  })
}

function combined<G>(name: string, guards: readonly AnyGuard[], its: Rule): G {
  if (guards.length === 0) throw new TypeError(`${name}: there is nothing to combine. Say ${name}(roles('a'), ...).`)
  return guard(`${name}(${guards.map(({ name }) => name).join(', ')})`, its) as G
}

function ruleOf(where: string, given: unknown): Rule {
  const its = ruleIn(given)
  if (its) return its
  const name = (typeof given === 'function' && given.name) || 'this'
  throw new TypeError(`${where}: ${name} is no rule. Give permit(...), roles(...) or scopes(...).`)
}

function scopesOf(rules: readonly Rule[]): readonly string[] {
  return rules.flatMap(({ scopes }) => scopes)
}
