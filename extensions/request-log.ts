import {
  type AroundContext,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  kinds,
  type Logger,
  type Route,
} from '../src/index.ts'

export interface RequestLogOptions {
  /** Any logger like pino: `info`, `warn` and `error` take an object of fields, then a message. @default the app's */
  logger?: Logger
  /** Whether the query string is logged; it may hold what should not be kept. @default false */
  query?: boolean
}

/**
 * Writes one line for each request when its answer has gone out: id, method, path, route, status, bytes, milliseconds,
 * and the client's address. 5xx at level error, 4xx at warn, the rest at info. A client that left early is told by
 * `aborted: true`, at warn, without a status where it had none yet. Bytes are the Content-Length; a stream has none.
 *
 * For all requests, those to no route included, and those that the app does not let in: `app.use(requestLog())`. It stands
 * in a stack as well.
 *
 * @throws TypeError for a wrong option
 * @example app.use(requestLog({ logger: pino() }))
 */
export function requestLog(options: RequestLogOptions = {}): Decorator {
  checkOptions('requestLog', options, { logger: kinds.logger, query: kinds.flag })
  const logged = new WeakSet<BaseContext>()

  function log(ctx: BaseContext): void {
    logged.add(ctx)
    const { method, path, search, ip, requestId, res } = ctx
    const start = performance.now()
    const { logger = ctx.app.logger } = options
    res.once('close', () => {
      const status = res.headersSent ? res.statusCode : undefined
      const level = !status || (status >= 400 && status < 500) ? 'warn' : status >= 500 ? 'error' : 'info'
      const ms = Math.round((performance.now() - start) * 10) / 10
      const length = method === 'HEAD' ? 0 : Number(res.getHeader('Content-Length'))
      const line = {
        requestId,
        method,
        path: options.query ? path + search : path,
        route: ctx.route?.path,
        status,
        bytes: Number.isNaN(length) ? undefined : length,
        ms,
        ip,
        ...(res.writableFinished ? {} : { aborted: true }),
      }
      logger[level](line, 'request')
    })
  }

  function around(ctx: AroundContext, next: () => unknown): unknown {
    log(ctx)
    return next()
  }

  /** What the app refuses before it runs anything for a request comes to its hooks alone. */
  function register({ app, isUse }: Route): undefined {
    if (isUse) app.after(ctx => void (logged.has(ctx) || log(ctx)))
    return undefined
  }

  return decorator('requestLog', around, { register })
}
