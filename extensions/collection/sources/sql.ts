/** A piece of SQL: text that is ours, and between it the names of columns and values, which never become text here. */
export interface Sql {
  /** One more than there are parts. */
  readonly texts: readonly string[]
  readonly parts: readonly Part[]
}

export type Part = { readonly column: string } | { readonly value: unknown }

/** Puts pieces together: sql`${column('age')} >= ${value(30)}`. */
export function sql(texts: readonly string[], ...pieces: readonly Sql[]): Sql {
  const all: string[] = []
  let last = texts[0] as string
  pieces.forEach((piece, index) => {
    const [first, ...rest] = piece.texts
    last += first
    for (const text of rest) {
      all.push(last)
      last = text
    }
    last += texts[index + 1]
  })
  return { texts: [...all, last], parts: pieces.flatMap(({ parts }) => parts) }
}

/** The name of a column, which the query builder quotes. */
export function column(name: string): Sql {
  return { texts: ['', ''], parts: [{ column: name }] }
}

/** A value, which goes to the database as a parameter. */
export function value(it: unknown): Sql {
  return { texts: ['', ''], parts: [{ value: it }] }
}

export const TRUE = sql`1 = 1`
export const FALSE = sql`1 = 0`

export function all(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? TRUE : grouped(conditions, ' and ')
}

export function any(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? FALSE : grouped(conditions, ' or ')
}

function grouped(conditions: readonly Sql[], word: string): Sql {
  const [first] = conditions
  return conditions.length === 1 ? (first as Sql) : sql`(${join(conditions, word)})`
}

export function join(pieces: readonly Sql[], between: string): Sql {
  return sql(['', ...pieces.slice(1).map(() => between), ''], ...pieces)
}
