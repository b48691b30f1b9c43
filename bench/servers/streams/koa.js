import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import Router from '@koa/router'
import Koa from 'koa'
import { BYTES, eventText, FILE } from '../../shared/streams.js'

export const title = 'koa + @koa/router'
export const packages = ['koa', '@koa/router']

const app = new Koa()
const router = new Router()

router.get('/events', ctx => {
  ctx.type = 'text/event-stream'
  ctx.set('Cache-Control', 'no-cache')
  ctx.body = Readable.from(eventText())
})
router.get('/file', ctx => {
  ctx.type = 'application/octet-stream'
  ctx.body = createReadStream(FILE)
  ctx.length = BYTES
})
app.use(router.routes()).use(router.allowedMethods())

export default app.listen(0)
