import type { Logger } from 'kolba'

export interface Line {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: Record<string, unknown> & { err?: Error }
  readonly message: string | undefined
}

/** A logger that keeps its lines, and tells when the next one has come. */
export class MemoryLogger implements Logger {
  readonly lines: Line[] = []
  #wake: (() => void)[] = []

  readonly info = this.#at('info')
  readonly warn = this.#at('warn')
  readonly error = this.#at('error')

  /** Resolves when there are so many lines. */
  async until(count: number): Promise<Line[]> {
    while (this.lines.length < count) await new Promise<void>(resolve => this.#wake.push(resolve))
    return this.lines
  }

  #at(level: Line['level']): (fields: object, message?: string) => void {
    return (fields, message) => {
      this.lines.push({ level, fields: fields as Line['fields'], message })
      for (const wake of this.#wake.splice(0)) wake()
    }
  }
}
