import type { Kolba, Logger } from '../../src/index.ts'
import type { Engine } from './engine.ts'
import type { Life } from './life.ts'
import type { JobsOptions } from './options.ts'
import type { Resources } from './routes.ts'
import type { Threads } from './thread.ts'

const LOST = 'jobs: they are kept in memory and end with this process. Give an engine: jobs({ engine: sqlite(file) }).'

/** The apps that jobs are a part of, which open and close them. */
export interface Apps {
  join(app: Kolba, parts: { readonly resources: Resources; readonly life: Life; readonly threads: Threads }): void
  /** Says what is lost with the process, if anything is. */
  warn(): void
  logger(): Logger
}

export function appsOf(engine: Engine, { run, logger: own }: JobsOptions): Apps {
  const apps = new Set<Kolba>()
  const logger = () => own ?? [...apps].find(isOuter)?.logger ?? plainLogger

  function warn(): void {
    if (!engine.isLasting) logger().warn({ engine: engine.name }, LOST)
  }

  return {
    warn,
    logger,
    join(app, { resources, life, threads }) {
      if (apps.has(app)) return
      apps.add(app)
      app.onStart(async () => {
        // The app that it is mounted on has its routes too, and their place.
        if (!isOuter(app)) return
        checkMounted(app, resources)
        await threads.check()
        // It may be told to end at any time, and then there is nothing to begin.
        if (life.closing.aborted) return
        await life.ready()
        if (life.closing.aborted) return
        warn()
        if (run !== 'apart' || app.isWorker) await life.begin()
      })
      app.onDrain(() => life.drain(app.settings.timeouts.drain))
      app.onStop(async () => {
        await threads.close()
        await life.close()
      })
    },
  }
}

function isOuter(app: Kolba): boolean {
  return !app.inside.life.isInner
}

function checkMounted(app: Kolba, { path }: Resources): void {
  try {
    path(app, 'x')
  } catch (cause) {
    const what = 'jobs: work.routes stand nowhere in this app, or twice, so that no job has a place'
    throw new TypeError(`${what}. Write app.mount('/jobs', work.routes) once.`, { cause })
  }
}

const plainLogger: Logger = {
  info: (fields, message) => console.log(message, fields),
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
}
