import http from 'node:http'
import { document } from './document.js'

export const title = 'raw node:http'
export const packages = []

/** By hand: the tag is the version, and is compared as text. */
export default http
  .createServer((req, res) => {
    const ETag = `"${document.version}"`
    if (req.headers['if-none-match'] === ETag) return res.writeHead(304, { ETag }).end()
    const body = JSON.stringify(document)
    const type = 'application/json; charset=utf-8'
    res.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ETag }).end(body)
  })
  .listen(0)
