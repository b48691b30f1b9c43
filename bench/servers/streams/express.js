import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express from 'express'
import { eventText, FILE } from '../../shared/streams.js'

export const title = 'express, sendFile'
export const packages = ['express']

const app = express().disable('x-powered-by').disable('etag')

app.get('/events', async (_req, res) => {
  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  await pipeline(Readable.from(eventText()), res)
})
app.get('/file', (_req, res) => {
  res.sendFile(FILE, { headers: { 'Content-Type': 'application/octet-stream' } })
})

export default app.listen(0)
