import { createReadStream } from 'node:fs'
import { Controller, Get, Module, Sse, StreamableFile } from '@nestjs/common'
import { from } from 'rxjs'
import { decorate, listen } from '../../shared/nest.js'
import { BYTES, events, FILE } from '../../shared/streams.js'

export const title = 'nest on fastify, @Sse, StreamableFile'
export const packages = ['@nestjs/core', '@nestjs/platform-fastify']

class Streams {
  events() {
    return from(events())
  }

  file() {
    return new StreamableFile(createReadStream(FILE), { type: 'application/octet-stream', length: BYTES })
  }
}
decorate(Streams, 'events', [Sse('events')])
decorate(Streams, 'file', [Get('file')])
decorate(Streams, [Controller()])

class App {}
decorate(App, [Module({ controllers: [Streams] })])

export default await listen(App)
