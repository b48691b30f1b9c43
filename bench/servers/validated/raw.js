import http from 'node:http'
import { summaryOf } from '../../shared/order.js'

export const title = 'raw node:http, checks by hand'
export const packages = []

const isText = (value, min, max) => typeof value === 'string' && value.length >= min && value.length <= max
const CURRENCIES = new Set(['EUR', 'USD', 'GBP'])

function isLine(line) {
  if (typeof line !== 'object' || line === null || !isText(line.article, 1, 60)) return false
  if (!Number.isInteger(line.quantity) || line.quantity < 1 || line.quantity > 1000) return false
  if (line.gift !== undefined && typeof line.gift !== 'boolean') return false
  return line.note === undefined || isText(line.note, 0, 200)
}

function isOrder(value) {
  if (typeof value !== 'object' || value === null) return false
  const { customer, email, currency, lines, comment } = value
  if (!isText(customer, 1, 80) || !isText(email, 3, 200) || !/^[^@ ]+@[^@ ]+$/.test(email)) return false
  if (!CURRENCIES.has(currency) || (comment !== undefined && !isText(comment, 0, 1000))) return false
  return Array.isArray(lines) && lines.length >= 1 && lines.length <= 50 && lines.every(isLine)
}

function send(res, status, value, headers) {
  const body = JSON.stringify(value)
  const type = 'application/json; charset=utf-8'
  res.writeHead(status, { ...headers, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export default http
  .createServer((req, res) => {
    if (req.method !== 'POST' || req.url !== '/orders') return send(res, 404, { error: 'Not Found' })
    const chunks = []
    let size = 0
    req.on('data', chunk => {
      size += chunk.length
      if (size <= 1_048_576) chunks.push(chunk)
    })
    req.on('end', () => {
      if (size > 1_048_576) return send(res, 413, { error: 'Content Too Large' })
      const value = parse(Buffer.concat(chunks).toString())
      if (!isOrder(value)) return send(res, 422, { error: 'Unprocessable Entity' })
      send(res, 201, summaryOf(value), { Location: '/orders/1' })
    })
  })
  .listen(0)
