import type { Awaitable, BaseContext, Context, Handler } from './context.ts'
import type { AddsOf, Decorator } from './decorator.ts'

// TypeScript (5.9, 6 and 7 alike) infers nothing for a lambda that follows a tuple of unknown length, so there is one
// overload for each number of decorators. Each decorator is given the context as it is at its place: that is what
// makes one that needs more an error at that argument.

/**
 * What a decorator adds whose call is still to be inferred: TypeScript does so when it has looked at the handler once, and
 * a handler that says what it is given must fit by then.
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever it comes to add, and with `unknown` no such handler would fit
type Any = any

/** The context at a path, given what stands above the path. */
type At<Path extends string, Above> = Context<Path> & Above

/**
 * `app.get(path, ...decorators, handler)`: outermost first, the handler last.
 *
 * Gives the handler back, typed with what its context holds, so that it can be named in `app.url(handler, params)`.
 */
export interface Verb<Above = unknown, First extends unknown[] = []> {
  <P extends string, R>(...args: [...First, path: P, handler: Handler<At<P, Above>, R>]): Handler<At<P, Above>, R>
  <P extends string, T, R extends Awaitable<T>, A1 = Any>(
    ...args: [...First, path: P, d1: Decorator<A1, At<P, Above>, T>, handler: Handler<At<P, Above> & A1, R>]
  ): Handler<At<P, Above> & A1, R>
  <P extends string, T, R extends Awaitable<T>, A1 = Any, A2 = Any>(
    ...args: [
      ...First,
      path: P,
      d1: Decorator<A1, At<P, Above>, never>,
      d2: Decorator<A2, At<P, Above> & A1, T>,
      handler: Handler<At<P, Above> & A1 & A2, R>,
    ]
  ): Handler<At<P, Above> & A1 & A2, R>
  <P extends string, T, R extends Awaitable<T>, A1 = Any, A2 = Any, A3 = Any>(
    ...args: [
      ...First,
      path: P,
      d1: Decorator<A1, At<P, Above>, never>,
      d2: Decorator<A2, At<P, Above> & A1, never>,
      d3: Decorator<A3, At<P, Above> & A1 & A2, T>,
      handler: Handler<At<P, Above> & A1 & A2 & A3, R>,
    ]
  ): Handler<At<P, Above> & A1 & A2 & A3, R>
  <P extends string, T, R extends Awaitable<T>, A1 = Any, A2 = Any, A3 = Any, A4 = Any>(
    ...args: [
      ...First,
      path: P,
      d1: Decorator<A1, At<P, Above>, never>,
      d2: Decorator<A2, At<P, Above> & A1, never>,
      d3: Decorator<A3, At<P, Above> & A1 & A2, never>,
      d4: Decorator<A4, At<P, Above> & A1 & A2 & A3, T>,
      handler: Handler<At<P, Above> & A1 & A2 & A3 & A4, R>,
    ]
  ): Handler<At<P, Above> & A1 & A2 & A3 & A4, R>
  <P extends string, T, R extends Awaitable<T>, A1 = Any, A2 = Any, A3 = Any, A4 = Any, A5 = Any>(
    ...args: [
      ...First,
      path: P,
      d1: Decorator<A1, At<P, Above>, never>,
      d2: Decorator<A2, At<P, Above> & A1, never>,
      d3: Decorator<A3, At<P, Above> & A1 & A2, never>,
      d4: Decorator<A4, At<P, Above> & A1 & A2 & A3, never>,
      d5: Decorator<A5, At<P, Above> & A1 & A2 & A3 & A4, T>,
      handler: Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5, R>,
    ]
  ): Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5, R>
  <P extends string, T, R extends Awaitable<T>, A1 = Any, A2 = Any, A3 = Any, A4 = Any, A5 = Any, A6 = Any>(
    ...args: [
      ...First,
      path: P,
      d1: Decorator<A1, At<P, Above>, never>,
      d2: Decorator<A2, At<P, Above> & A1, never>,
      d3: Decorator<A3, At<P, Above> & A1 & A2, never>,
      d4: Decorator<A4, At<P, Above> & A1 & A2 & A3, never>,
      d5: Decorator<A5, At<P, Above> & A1 & A2 & A3 & A4, never>,
      d6: Decorator<A6, At<P, Above> & A1 & A2 & A3 & A4 & A5, T>,
      handler: Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6, R>,
    ]
  ): Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6, R>
  <P extends string, T, R extends Awaitable<T>, A1 = Any, A2 = Any, A3 = Any, A4 = Any, A5 = Any, A6 = Any, A7 = Any>(
    ...args: [
      ...First,
      path: P,
      d1: Decorator<A1, At<P, Above>, never>,
      d2: Decorator<A2, At<P, Above> & A1, never>,
      d3: Decorator<A3, At<P, Above> & A1 & A2, never>,
      d4: Decorator<A4, At<P, Above> & A1 & A2 & A3, never>,
      d5: Decorator<A5, At<P, Above> & A1 & A2 & A3 & A4, never>,
      d6: Decorator<A6, At<P, Above> & A1 & A2 & A3 & A4 & A5, never>,
      d7: Decorator<A7, At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6, T>,
      handler: Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6 & A7, R>,
    ]
  ): Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6 & A7, R>
  <
    P extends string,
    T,
    R extends Awaitable<T>,
    A1 = Any,
    A2 = Any,
    A3 = Any,
    A4 = Any,
    A5 = Any,
    A6 = Any,
    A7 = Any,
    A8 = Any,
  >(
    ...args: [
      ...First,
      path: P,
      d1: Decorator<A1, At<P, Above>, never>,
      d2: Decorator<A2, At<P, Above> & A1, never>,
      d3: Decorator<A3, At<P, Above> & A1 & A2, never>,
      d4: Decorator<A4, At<P, Above> & A1 & A2 & A3, never>,
      d5: Decorator<A5, At<P, Above> & A1 & A2 & A3 & A4, never>,
      d6: Decorator<A6, At<P, Above> & A1 & A2 & A3 & A4 & A5, never>,
      d7: Decorator<A7, At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6, never>,
      d8: Decorator<A8, At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6 & A7, T>,
      handler: Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6 & A7 & A8, R>,
    ]
  ): Handler<At<P, Above> & A1 & A2 & A3 & A4 & A5 & A6 & A7 & A8, R>
}

/**
 * A list of decorators, of which each finds on ctx what it needs. It is mapped, so that an error stands at the one that
 * does not. A blueprint's list may begin with a name.
 */
export type Checked<D extends readonly unknown[], Above = BaseContext> = {
  // While TypeScript infers a generic call in the list, it takes the first for a string or a decorator.
  [I in keyof D]: D[I] &
    ([Extract<D[I], string>] extends [never] ? Decorator<unknown, Above & AddsOf<Before<D, I>>, never> : unknown)
}

type Before<D, I, Passed extends unknown[] = []> = `${Passed['length']}` extends I
  ? Passed
  : D extends readonly [infer First, ...infer Rest]
    ? Before<Rest, I, [...Passed, First]>
    : Passed
