/** So many are compared one by one: to look a text up takes a hash of it, and that of a path is new with each request. */
const FEW = 8

/** A map of texts that is quicker than a Map while it is small. */
export class ByText<T> {
  readonly #texts: string[] = []
  readonly #values: T[] = []
  readonly #many = new Map<string, T>()

  get(text: string): T | undefined {
    const texts = this.#texts
    if (texts.length > FEW) return this.#many.get(text)
    for (let index = 0; index < texts.length; index += 1) if (texts[index] === text) return this.#values[index]
    return undefined
  }

  has(text: string): boolean {
    return this.#many.has(text)
  }

  /** Adds what has a text that is not there yet. */
  add(text: string, value: T): void {
    this.#texts.push(text)
    this.#values.push(value)
    this.#many.set(text, value)
  }
}
