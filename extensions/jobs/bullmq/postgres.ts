/** What is used of a pool or a client of pg. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/** Warns of a server that says that something is kept before it is on disk. */
export async function checkPostgres(pool: Queryable, warn: (message: string) => void): Promise<void> {
  for (const name of ['fsync', 'synchronous_commit']) {
    const { rows } = await pool.query('select current_setting($1) as value', [name])
    if (rows[0]?.value === 'off')
      warn(`bullmq: in this PostgreSQL ${name} is off, so jobs may be lost when it ends. Set it to on.`)
  }
}
