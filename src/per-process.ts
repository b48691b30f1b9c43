import type { Route } from './route.ts'

/** What a decorator keeps in each process for itself: for who runs an app in several. The core stores it and never reads it. */
export interface PerProcess {
  readonly route: Route
  /** The decorator's name, `rateLimit`. */
  readonly decorator: string
  /** What comes of it, and what to give: `counts in each process for itself. Give store: redisStore(client)`. */
  readonly advice: string
  /** Is it so? For what may still change after the route is registered. */
  readonly applies?: () => boolean
}
