import type { Awaitable } from './context.ts'

/** Is it a promise, or anything else with a `then`? */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
}

/**
 * Goes on with a value at once, or with a promise's when it has one. A decorator that uses it on what `next()` gives
 * is as synchronous as the handler below it, and makes no promise of its own.
 *
 * @example const upper = decorator('upper', (ctx, next) => when(next(), value => String(value).toUpperCase()))
 */
export function when<T, R>(value: Awaitable<T>, go: (value: T) => R): R | PromiseLike<Awaited<R>> {
  return isPromise(value) ? (value.then(go as never) as PromiseLike<Awaited<R>>) : go(value as T)
}
