/** What something else may stand in for. Its type says what fits: `makes` exists for the compiler alone. */
export interface Replaceable<out T = unknown> {
  readonly makes?: () => T
}

/** What stands in the place of things, each found by the thing itself. The last put there counts. */
export class Overrides {
  readonly #list: { readonly key: object; readonly value: unknown }[] = []

  /**
   * @returns a function that takes it back, and leaves the others in their places
   * @throws TypeError for a key that is no object
   */
  add(key: object, value: unknown): () => void {
    if (Object(key) !== key) {
      throw new TypeError(`override: ${String(key)} is nothing to replace. Give a component, then what replaces it.`)
    }
    const override = { key, value }
    this.#list.push(override)
    return () => {
      const index = this.#list.indexOf(override)
      if (index >= 0) this.#list.splice(index, 1)
    }
  }

  /** What stands in the place of `key`, in an object because it may be undefined. */
  get(key: object): { readonly value: unknown } | undefined {
    return this.#list.findLast(override => override.key === key)
  }
}
