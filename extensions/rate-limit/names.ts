import { type Decorator, nameOf, type Route } from '../../src/index.ts'

const its = Symbol('kolba.rateLimit.name')
type Named = Decorator & { [its]?: { readonly name: string | undefined } }

/** Remembers what a limit is called, for the others in its stack. */
export function named(limit: Decorator, name: string | undefined): Decorator {
  return Object.assign(limit, { [its]: { name } })
}

/**
 * What a limit is called on a route: its own name, else `default`, `default-2` and so on from above; `app` where it is
 * in `app.use`.
 *
 * @throws TypeError for two of a name, which a client could not tell apart
 */
export function nameFor(route: Route, limit: Decorator): string {
  const all = [...new Set(route.decorators)].filter(it => its in it) as Named[]
  const name = nameIn(all, limit, route)
  const other = all.find(it => it !== limit && nameIn(all, it, route) === name)
  if (!other) return name
  throw new TypeError(`${nameOf(route)}: two limits are called ${name}. Give one of them another name.`)
}

function nameIn(all: readonly Named[], limit: Named, { isUse }: Route): string {
  if (limit[its]?.name !== undefined) return limit[its].name
  if (isUse) return 'app'
  const place = all.filter(it => it[its]?.name === undefined).indexOf(limit)
  return place <= 0 ? 'default' : `default-${place + 1}`
}
