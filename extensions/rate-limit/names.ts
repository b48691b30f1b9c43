import { type Decorator, type Kolba, nameOf, prefixesOf, type Route } from '../../src/index.ts'

const its = Symbol('kolba.rateLimit.name')
type Named = Decorator & { [its]?: { readonly name: string | undefined } }

const used = Symbol('kolba.rateLimit.used')
type App = Kolba & { [used]?: Set<Named> }

/** Remembers what a limit is called, for the others in its stack. */
export function named(limit: Decorator, name: string | undefined): Decorator {
  return Object.assign(limit, { [its]: { name } })
}

/**
 * What a limit is called on a route: its own name, else `default`, `default-2` and so on from above; `app`, `app-2` and
 * so on where it is in `app.use`.
 *
 * @throws TypeError for two of a name, which a client could not tell apart
 */
export function nameFor(route: Route, limit: Decorator): string {
  const all = limitsOf(route, limit)
  const name = nameIn(all, limit, route)
  const other = all.find(it => it !== limit && nameIn(all, it, route) === name)
  if (!other) return name
  throw new TypeError(
    `${route.isUse ? 'use' : nameOf(route)}: two limits are called ${name}. Give one of them another name.`,
  )
}

/**
 * What keeps a limit without a name apart from others in a store that is shared. Every process of an app comes to the
 * same one, when all is mounted.
 */
export function placeOf(route: Route, name: string): string {
  return [...prefixesOf(route.app), nameOf(route), name].join(' ')
}

/** The limits of a stack; or those that an app uses, up to this one. */
function limitsOf({ decorators, app, isUse }: Route, limit: Named): readonly Named[] {
  if (!isUse) return [...new Set(decorators)].filter(it => its in it) as Named[]
  const user = app as App
  user[used] ??= new Set()
  return [...user[used].add(limit)]
}

function nameIn(all: readonly Named[], limit: Named, { isUse }: Route): string {
  if (limit[its]?.name !== undefined) return limit[its].name
  const name = isUse ? 'app' : 'default'
  const place = all.filter(it => it[its]?.name === undefined).indexOf(limit)
  return place <= 0 ? name : `${name}-${place + 1}`
}
