import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { feathers } from '@feathersjs/feathers'
import { errorHandler, koa, rest } from '@feathersjs/koa'
import { BYTES, eventText, FILE } from '../../shared/streams.js'

export const title = 'feathers on koa, streams as results'
export const packages = ['@feathersjs/feathers', '@feathersjs/koa']

const app = koa(feathers())
app.use(errorHandler())
app.configure(rest())

app.use('events', { find: async () => Readable.from(eventText()) })
app.use('file', { find: async () => createReadStream(FILE) })
app.service('events').hooks({ after: { find: [say({ 'Content-Type': 'text/event-stream' })] } })
const file = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(BYTES) }
app.service('file').hooks({ after: { find: [say(file)] } })

function say(headers) {
  return async context => {
    context.http = { headers }
  }
}

export default await app.listen(0)
