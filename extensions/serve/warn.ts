import { type Kolba, nameOf, type Route } from '../../src/index.ts'

/** Warns of what each worker has for itself, once for each decorator, with its routes and what to give. */
export function warnOf(app: Kolba, allowed: readonly string[]): void {
  const found = new Map<string, Set<string>>()
  for (const { route, decorator, advice, applies } of app.perProcess) {
    if (allowed.includes(decorator) || applies?.() === false) continue
    const sentence = `${decorator} ${advice}, or say that it may be so: perWorker: ['${decorator}'].`
    found.set(sentence, (found.get(sentence) ?? new Set()).add(placeOf(route)))
  }
  for (const [sentence, routes] of found) {
    const [first, ...more] = routes
    const where = more.length > 0 ? `${first}, and ${more.length} more` : first
    app.logger.warn({ routes: [...routes] }, `serve: ${where}: ${sentence}`)
  }
}

function placeOf(route: Route): string {
  return route.isUse ? 'app.use' : nameOf(route)
}
