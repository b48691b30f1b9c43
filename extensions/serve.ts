import cluster from 'node:cluster'
import { checkOptions, Kolba } from '../src/index.ts'
import { OPTIONS, type ServeOptions, settingsOf } from './serve/options.ts'
import { lead, type Serving } from './serve/primary.ts'
import { work } from './serve/worker.ts'

export type { ServeOptions } from './serve/options.ts'
export type { Serving } from './serve/primary.ts'

/**
 * Answers requests in several processes that share one port (node:cluster), and exchanges them for new ones without
 * losing a request.
 *
 * The program is run once as the primary, which answers nothing, and once for each worker. In the primary no hook of
 * `onStart` runs and no port is opened by the app; in a worker the app starts and listens as by `app.listen()`, with
 * its timeouts and limits. What stands at the top of the program runs in all of them, so what connects to something
 * belongs into `app.onStart()`, or into a component.
 *
 * | to the primary | what happens |
 * |---|---|
 * | SIGHUP, or `reload()` | Workers with the code that is on disk now take the place of the old ones, one after another. An old one stops accepting when the new one listens, answers what comes on open connections with `Connection: close`, and ends when none is left. Where a new one does not come up, the old ones stay, and the log says why. During a reload the next one waits. |
 * | SIGTERM, SIGINT, or `close()` | All workers close their app: `timeouts.drain` for requests under way, then exit code 0, or 1 where a worker has not ended well. A second signal ends all at once. |
 * | SIGKILL | The workers close their app and end. |
 *
 * A worker that ends by itself is logged and replaced after a pause, which grows while it happens again. Where the very
 * first worker does not come up, there is nothing to go back to: `serve()` rejects, and the program ends with 1. The
 * terminal that goes away sends SIGHUP too, and then all end. With `kolba({ signals: false })` no signal is listened to.
 *
 * Memory belongs to one process. Where a decorator keeps there what workers should share, `rateLimit()` without a
 * `store` for one, the log says so at the start, with the route and what to give.
 *
 * A program that is started through a symbolic link, by its whole path, is reloaded from wherever the link leads then.
 * The primary itself keeps its code: for another Node or another number of workers start it anew. Windows has no
 * SIGHUP; there `reload()` is called. The debugger of `--inspect` has a port for each worker.
 *
 * @returns in the primary, when the workers listen: the port, `reload()` and `close()`; in a worker undefined
 * @throws TypeError for a wrong option; Error where the first worker does not come up
 * @example await serve(app, { workers: 4, port: 3000 })
 */
export async function serve(app: Kolba, options: ServeOptions = {}): Promise<Serving | undefined> {
  if (!(app instanceof Kolba)) throw new TypeError('serve: the first argument is no app. Give what kolba() has made.')
  checkOptions('serve', options, OPTIONS)
  const settings = settingsOf(options)
  return cluster.isPrimary ? lead(app, settings) : work(app, settings)
}
