import type { Client } from 'kolba'
import type { JobState } from 'kolba/jobs'

/** Asks until what is asked gives something, for at most a minute. */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what = 'what is waited for',
): Promise<T> {
  for (const end = Date.now() + 50_000; Date.now() < end; ) {
    const found = await ask()
    if (found !== undefined && found !== false) return found
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error(`${what} has not come in 50 s.`)
}

/** Makes a job, and gives its path. */
export async function begin(client: Client, path: string, json?: unknown): Promise<string> {
  const response = await client.post(path, json === undefined ? {} : { json })
  if (response.status !== 202) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.headers.get('Location') as string
}

/** The answer to a job, when it has one. */
export async function ended(client: Client, location: string): Promise<Response> {
  return until(async () => {
    const response = await client.get(location, { headers: { Prefer: 'wait=10' } })
    return response.status === 202 ? undefined : response
  }, `The end of ${location}`)
}

/** The state of a job that has come to one. */
export async function inState(client: Client, location: string, state: JobState['state']): Promise<JobState> {
  return until(async () => {
    const response = await client.get(location)
    const its = (await response.json()) as JobState
    return its.state === state ? its : undefined
  }, `The state ${state} of ${location}`)
}
