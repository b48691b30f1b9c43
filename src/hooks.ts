import type { BaseContext } from './context.ts'
import { toError } from './problem.ts'
import type { Rescue } from './rescue.ts'
import { respond } from './respond.ts'
import { isPromise } from './when.ts'

export type Hook = (ctx: BaseContext) => unknown

/** What an app runs around every request. */
export class Hooks {
  readonly before: Hook[] = []
  readonly after: Hook[] = []
  readonly #rescue: Rescue

  constructor(rescue: Rescue) {
    this.#rescue = rescue
  }

  /** Runs those of `app.before`, then what is below; the first that gives a value has answered. */
  async enter(ctx: BaseContext, below: () => unknown): Promise<void> {
    for (const hook of this.before) {
      const value = await hook(ctx)
      if (value !== undefined) return respond(ctx, value)
    }
    await below()
  }

  /** Runs those of `app.after`, all of them: what one throws is the answer that the next one finds. */
  async leave(ctx: BaseContext, hooks: readonly Hook[] = this.after): Promise<void> {
    for (const hook of hooks) {
      try {
        const running = hook(ctx)
        if (isPromise(running)) await running
      } catch (thrown) {
        await this.#rescue.from(ctx, thrown).catch(error => ctx.onerror(toError(error)))
      }
    }
  }

  /** The same for an app that is mounted on another. @throws what the first one has thrown, which that one answers */
  async leaveMounted(ctx: BaseContext): Promise<void> {
    let failure: { readonly thrown: unknown } | undefined
    for (const hook of this.after) {
      try {
        await hook(ctx)
      } catch (thrown) {
        if (failure) this.#rescue.tell(toError(thrown), ctx)
        failure ??= { thrown }
      }
    }
    if (failure) throw failure.thrown
  }
}
