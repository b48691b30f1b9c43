import { requestsOver } from '../shared/routes.js'

export const title = '1,000 routes: 50 resources of 20 static and parametric routes, requests over all'
export const servers = 'servers/resources'
export const environment = { BENCH_ROUTES: '1000' }
export const requests = requestsOver(1000)
