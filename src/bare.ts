/**
 * An object that inherits nothing: no name means anything in it, `constructor` and `__proto__` included. It is what
 * `Object.create(null)` is, except that V8 reads and makes it as fast as any other object; Node's `querystring` does it in
 * the same way.
 */
export const Bare = function Bare() {} as unknown as new () => Record<string, string>
Bare.prototype = Object.freeze(Object.create(null))

/** Does an object inherit nothing? */
export function isBare(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Bare.prototype
}
