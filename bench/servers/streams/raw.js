import { createReadStream } from 'node:fs'
import http from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BYTES, eventText, FILE } from '../../shared/streams.js'

export const title = 'raw node:http, pipeline'
export const packages = []

export default http
  .createServer(async (req, res) => {
    if (req.url === '/events') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
      await pipeline(Readable.from(eventText()), res)
      return
    }
    res.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': BYTES })
    await pipeline(createReadStream(FILE), res)
  })
  .listen(0)
