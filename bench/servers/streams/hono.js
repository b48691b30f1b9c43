import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { BYTES, events, FILE } from '../../shared/streams.js'

export const title = 'hono, streamSSE'
export const packages = ['hono', '@hono/node-server']

const app = new Hono()

app.get('/events', c =>
  streamSSE(c, async stream => {
    for await (const { id, data } of events()) await stream.writeSSE({ id, data })
  }),
)
app.get('/file', c => {
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(BYTES) }
  return c.body(Readable.toWeb(createReadStream(FILE)), 200, headers)
})

export default serve({ fetch: app.fetch, port: 0 })
