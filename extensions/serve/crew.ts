import type { Worker } from 'node:cluster'
import type { Kolba } from '../../src/index.ts'
import { type Order, order, wantsToLeave } from './messages.ts'
import type { Settings } from './options.ts'
import { howOf, PORT, start } from './start.ts'
import { retirementOf } from './worker.ts'

/** A worker that has not ended. */
interface Member {
  /** How it has ended, undefined for well. */
  readonly ended: Promise<string | undefined>
  hasListened: boolean
  hasRetired: boolean
}

/** All workers that have not ended, those that give way to others included. */
export function crew(app: Kolba, { port: asked, startTimeout, grace }: Settings) {
  const members = new Map<Worker, Member>()
  const { drain } = app.settings.timeouts
  let port: number | string | undefined
  let isLost = false

  /** Starts a worker, and waits until it listens. @throws Error that says why it does not */
  async function begin(): Promise<Worker> {
    // With the last one that listens goes a port that was found, and from then on it is asked for.
    if (asked === 0 && port !== undefined && !someListen()) isLost = true
    const { worker, listening } = start(startTimeout, isLost ? { [PORT]: String(port) } : undefined)
    const member = { ended: endOf(worker), hasListened: false, hasRetired: false }
    members.set(worker, member)
    worker.on('message', message => wantsToLeave(message) && order(worker, 'leave'))
    worker.on('error', error => app.logger.error({ err: error }, 'serve: a worker cannot be reached.'))
    try {
      const at = await listening
      port ??= at
      if (at !== port) throw new Error(`a worker listens on ${at}, where the others listen on ${port}`)
      member.hasListened = true
      return worker
    } catch (error) {
      if (worker.process.pid === undefined) members.delete(worker)
      else worker.process.kill('SIGKILL')
      throw error
    }
  }

  function someListen(): boolean {
    return [...members.values()].some(({ hasListened, hasRetired }) => hasListened && !hasRetired)
  }

  function endOf(worker: Worker): Promise<string | undefined> {
    return new Promise(resolve => {
      worker.once('exit', (code, signal) => {
        members.delete(worker)
        resolve(code === 0 ? undefined : howOf(code, signal))
      })
    })
  }

  function end(worker: Worker, what: Order, seconds: number): void {
    const { pid } = worker.process
    const late = setTimeout(() => {
      app.logger.error({ pid }, `serve: a worker did not end within ${seconds} s, and is killed.`)
      worker.process.kill('SIGKILL')
    }, seconds * 1000)
    worker.once('exit', () => clearTimeout(late))
    order(worker, what)
  }

  async function badEndOf(member: Member): Promise<string | undefined> {
    const how = await member.ended
    return member.hasListened ? how : undefined
  }

  return {
    begin,

    port: () => port ?? asked,

    /** Has a worker answer what is on its way to it, and then end. */
    retire(worker: Worker): void {
      const { pid } = worker.process
      const member = members.get(worker)
      if (!member) return
      member.hasRetired = true
      end(worker, 'retire', retirementOf(app) + drain + grace)
      member.ended.then(how => how && app.logger.error({ pid }, `serve: an old worker ended ${how}.`))
    },

    /** @throws Error where a worker that has listened did not end well */
    async endAll(): Promise<void> {
      const all = [...members]
      for (const [worker] of all) end(worker, 'close', drain + grace)
      const ends = await Promise.all(all.map(([, member]) => badEndOf(member)))
      const bad = ends.filter(how => how)
      if (bad.length > 0)
        throw new Error(`serve: of ${all.length} workers ${bad.length} did not end well, but ${bad.join(', ')}.`)
    },

    kill(): void {
      for (const { process } of members.keys()) process.kill('SIGKILL')
    },
  }
}
