import { Bare } from './bare.ts'
import type { BaseContext } from './context.ts'
import type { Path } from './path.ts'
import { Problem } from './problem.ts'
import { isAnswered, respond } from './respond.ts'
import { type Endpoint, enter, type Match, RouteTable } from './router.ts'

/** What mounted apps take of the paths that no route has: whatever is under their prefix. */
export class Mounted {
  readonly #all: { path: string; isOpen: () => boolean; routes: RouteTable }[] = []

  /** @param isOpen whether the app has anything to take them with */
  add(endpoint: Endpoint, path: Path, isOpen: () => boolean): void {
    const routes = new RouteTable()
    routes.add(endpoint, path)
    this.#all.push({ path: endpoint.route.path, isOpen, routes })
  }

  /** How many are mounted at a path. */
  countAt(path: string): number {
    return this.#all.filter(it => it.path === path).length
  }

  isOpen(): boolean {
    return this.#all.some(({ isOpen }) => isOpen())
  }

  /** Lets them try, in turn: whether one has answered. */
  async answers(ctx: BaseContext & { params?: object }): Promise<boolean> {
    const { route, params: above } = ctx
    for (const { isOpen, routes } of this.#all) {
      const { endpoint, params } = isOpen() ? routes.match(ctx.method, ctx.path ?? '') : ({} as Partial<Match>)
      if (endpoint && (await tries(ctx, endpoint, Object.assign(new Bare(), above, params)))) return true
      if (endpoint) Object.assign(ctx, { route, params: above, _matchedRoute: route?.path })
    }
    return false
  }
}

/** Lets a mounted app try: whether it has answered. A 404 of its own making says that it has not. */
async function tries(ctx: BaseContext, endpoint: Endpoint, params: Record<string, string>): Promise<boolean> {
  try {
    respond(ctx, await enter(ctx, endpoint, params))
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error
  }
  return isAnswered(ctx)
}
