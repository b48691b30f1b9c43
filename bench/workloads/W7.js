import { refused, requestsOfUsers } from '../shared/endpoint.js'

export const title = 'the whole endpoint of W4a over SQLite (libsql, in memory)'
export const servers = 'servers/endpoint'
export const environment = { BENCH_SOURCE: 'sqlite' }
export const requests = requestsOfUsers()
export const alsoVerify = refused
