import { spawnSync } from 'node:child_process'
import * as autocannon from './autocannon.js'
import * as wrk from './wrk.js'

/**
 * What makes the load: wrk where it is installed, because it leaves the limit to the server; autocannon elsewhere,
 * which takes about as much time for a request as the fastest servers do, and so makes them look alike.
 */
export const load = spawnSync('wrk', ['--version']).error ? autocannon : wrk
