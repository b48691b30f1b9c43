import type { AnyDecorator, BaseContext, Kolba, Logger, Preferences } from '../../src/index.ts'
import type { Changes } from './changes.ts'
import type { Claim, Engine, Job } from './engine.ts'
import type { Terms } from './options.ts'
import type { Owners } from './owner.ts'
import type { Threads } from './thread.ts'

/** A job that is being done. */
export interface Running {
  readonly job: Job
  /** Aborts when the job is cancelled, takes too long, is lost to another process, or this process ends. */
  readonly signal: AbortSignal
  readonly progress: (done: number, total?: number, message?: string) => void
}

/** What this process does with a job that it has taken up. */
export interface Taken {
  /** Tells the handler to stop. */
  stop(reason: Error): void
  /** Renews its lease where that is overdue: this process was kept from it. */
  catchUp(): Promise<void> | undefined
  /** Goes on by another claim, where the handler is at work still. */
  goOn(claim: Claim): boolean
}

/** What kind of thing is to be done, and how. */
export interface Task {
  readonly name: string
  readonly terms: Terms
  /** The handler of its route, where it has one. */
  readonly handler?: unknown
  /** Gets ready to do one of its jobs. */
  begin(running: Running): Attempt
}

/** One time that a job is done. */
export interface Attempt {
  /** @returns the result as text */
  run(): Promise<string>
  /** What an error comes to. */
  fail(thrown: unknown): Promise<Failure>
}

export interface Failure {
  readonly error: Error
  /** Is it the same each time, so that no repetition is of use? */
  readonly isPermanent: boolean
  /** The answer as text, a problem document. */
  readonly text: string
  /** Writes it into the log, where nothing comes after it. */
  tell(): void
}

/** What all that belongs to one `jobs()` shares. */
export interface Work extends Owners {
  readonly engine: Engine
  readonly changes: Changes
  /** Milliseconds. */
  readonly lease: number
  readonly list: AnyDecorator | undefined
  readonly threads: Threads
  /** Those that this process has taken up, by id. */
  readonly running: Map<string, Taken>
  /** Aborts when this process ends. */
  readonly closing: AbortSignal
  /** Aborts when the engine is let go, and nothing can be asked of it any more. */
  readonly closed: AbortSignal
  logger(): Logger
  /** When the engine is ready. */
  ready(): Promise<void>
  /** Adds a task, whose jobs are done here if any are, and what goes on beside it while they are. */
  add(task: Task, beside?: () => () => void): void
  termsOf(job: Pick<Job, 'task'>): Terms
  /** Makes it a part of an app, which opens and closes it. */
  join(app: Kolba): void
  /** The job, when it has ended or the client does not want to wait any longer; undefined where it did not ask to. */
  wait(ctx: BaseContext, id: string, preferences: Preferences): Promise<Job | undefined>
}
