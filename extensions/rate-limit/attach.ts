import type { Kolba } from '../../src/index.ts'
import type { RateLimitStore } from './store.ts'

const attached = Symbol('kolba.rateLimit.stores')
type App = Kolba & { [attached]?: Set<RateLimitStore> }

/** A store that connects does so before the app listens, and ends with it. */
export function attach(app: App, store: RateLimitStore): void {
  app[attached] ??= new Set()
  if (app[attached].has(store)) return
  app[attached].add(store)
  if (store.close) app.onStop(() => store.close?.())
  if (!store.open) return
  try {
    app.onStart(() => store.open?.())
  } catch {
    // It has started already.
  }
}
