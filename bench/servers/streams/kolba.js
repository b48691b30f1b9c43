import { createReadStream } from 'node:fs'
import { kolba, reply } from 'kolba'
import { BYTES, eventText, FILE } from '../../shared/streams.js'

export const title = 'kolba'
export const packages = ['kolba']

const app = kolba()

app.get('/events', () => reply(200, eventText(), { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }))
app.get('/file', () => {
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': BYTES }
  return reply(200, createReadStream(FILE), headers)
})

export default app.listen(0)
