import { refused, requestsOfUsers } from '../shared/endpoint.js'

export const title =
  'the whole endpoint, 200: bearer JWT, limit by user, filter, sort, page of 25 of 1,000 rows, `Link`, meta, ETag, `Cache-Control`, JSON; 50 users with 4 pages each'
export const servers = 'servers/endpoint'
export const requests = requestsOfUsers()
export const alsoVerify = refused
