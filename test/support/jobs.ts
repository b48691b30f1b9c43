import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { decorator, type Kolba, type KolbaOptions, kolba, type Next } from 'kolba'
import { type Engine, type JobState, type Jobs, type JobsOptions, jobs, memory } from 'kolba/jobs'
import { MemoryLogger } from './memory-logger.ts'

export interface User {
  readonly id: string
}

/** Signs in whoever says who he is, and lets others pass. */
export const signedIn = decorator('signedIn', (ctx, next: Next<{ user: User | undefined }>) =>
  next({ user: ctx.get('X-User') ? { id: ctx.get('X-User') } : undefined }),
)

export interface JobsApp {
  readonly app: Kolba
  readonly work: Jobs
  readonly logger: MemoryLogger
  readonly client: ReturnType<Kolba['client']>
  readonly engine: Engine
}

/** An app with jobs at /jobs, quick to try again, closed when the test ends. */
export function jobsApp(t: ExecutionContext, options: JobsOptions = {}, its: KolbaOptions = {}): JobsApp {
  const logger = new MemoryLogger()
  const engine = options.engine ?? memory()
  const app = kolba({ signals: false, timeouts: { drain: 0.2 }, ...its, logger })
  const work = jobs({ retry: { delay: 0.01 }, ...options, engine })
  app.mount('/jobs', work.routes, signedIn)
  t.teardown(() => app.close())
  return { app, work, logger, client: app.client(), engine }
}

/** Where `sqlite()` may keep jobs until the test ends. */
export function jobsFile(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-jobs-'))
  t.teardown(() => rmSync(folder, { recursive: true, maxRetries: 5 }))
  return join(folder, 'jobs.db')
}

type Sent = Parameters<JobsApp['client']['post']>[1]

/** Makes a job, and gives its place. */
export async function begin(t: ExecutionContext, { client }: JobsApp, path: string, init?: Sent): Promise<string> {
  const response = await client.post(path, init)
  t.is(response.status, 202)
  return response.headers.get('Location') as string
}

/** What the place of a job answers when it has ended. */
export function ended({ client }: JobsApp, place: string, headers: Record<string, string> = {}): Promise<Response> {
  return client.get(place, { headers: { Prefer: 'wait=25', ...headers } })
}

/** What came of a request that makes a job. */
export async function done(t: ExecutionContext, its: JobsApp, path: string, init?: Sent): Promise<Response> {
  return ended(its, await begin(t, its, path, init), init?.headers as Record<string, string>)
}

export async function stateOf(response: Promise<Response> | Response): Promise<JobState> {
  return (await (await response).json()) as JobState
}

/** Waits until it is so, for twenty seconds at most. */
export async function until(t: ExecutionContext, isSo: () => unknown, what = isSo.toString()): Promise<void> {
  const last = Date.now() + 20_000
  while (!(await isSo())) {
    if (Date.now() > last) return t.fail(`It did not come to pass: ${what}`)
    await sleep(5)
  }
}

/** Something that happens once, to be waited for by others. */
export function signal<T = void>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(go => {
    resolve = go
  })
  return { promise, resolve }
}
