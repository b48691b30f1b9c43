/** How long requests took: a sum and a count, as a metrics middleware keeps them. */
export const timing = {
  count: 0,
  sum: 0,
  add(milliseconds) {
    timing.count += 1
    timing.sum += milliseconds
  },
}

/** The three middlewares as Koa has them: they time the request, set a header, and keep something for the handler. */
export const middlewares = [
  async (_ctx, next) => {
    const start = performance.now()
    await next()
    timing.add(performance.now() - start)
  },
  async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff')
    await next()
  },
  async (ctx, next) => {
    ctx.state.by = 'bench'
    await next()
    if (ctx.state.by !== 'bench') throw new Error('the request was lost')
  },
]
