import { requestsOver } from '../shared/routes.js'

export const title = '10 routes, requests over all'
export const servers = 'servers/resources'
export const environment = { BENCH_ROUTES: '10' }
export const requests = requestsOver(10)
