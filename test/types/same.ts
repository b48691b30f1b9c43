/** Are two types one and the same? Intersections are compared as the objects that they come to. */
export function same<A, B>(_yes: Same<Flat<A>, Flat<B>>): void {}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Flat<T> = T extends (...args: never) => unknown ? T : { [K in keyof T]: T[K] }
