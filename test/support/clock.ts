/** Moves the clock forward, until the end of what is run. Tests that use it are serial. */
export async function later<T>(seconds: number, run: () => Promise<T>): Promise<T> {
  const before = Date.now
  Date.now = () => before() + seconds * 1000
  try {
    return await run()
  } finally {
    Date.now = before
  }
}
