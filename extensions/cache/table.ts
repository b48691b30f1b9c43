/** A map by two texts. */
export class Table<T> {
  readonly #rows = new Map<string, Map<string, T>>()

  get(row: string, column: string): T | undefined {
    return this.#rows.get(row)?.get(column)
  }

  set(row: string, column: string, value: T): void {
    const its = this.#rows.get(row) ?? new Map<string, T>()
    this.#rows.set(row, its.set(column, value))
  }

  delete(row: string, column: string): void {
    const its = this.#rows.get(row)
    its?.delete(column)
    if (its?.size === 0) this.#rows.delete(row)
  }

  rows(): string[] {
    return [...this.#rows.keys()]
  }

  columns(row: string): string[] {
    return [...(this.#rows.get(row)?.keys() ?? [])]
  }
}
