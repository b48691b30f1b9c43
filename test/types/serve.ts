import { kolba } from 'kolba'
import { type ServeOptions, type Serving, serve } from 'kolba/serve'
import { same } from './same.ts'

const app = kolba()
const service = await serve(app, { workers: 2, port: process.env.PORT ?? 3000, backoff: { first: 1 } })
same<NonNullable<typeof service>, Serving>(true)
// Of a worker there is nothing to reload.
service.reload() // error: 'service' is possibly 'undefined'
const port: number | string | undefined = service?.port
serve(app, port) // error: is not assignable to parameter

const options: ServeOptions = { perWorker: ['cached'] }
await serve(app, options)
serve(app, { worker: 2 }) // error: 'worker' does not exist
serve(app, { workers: '2' }) // error: is not assignable to type 'number'
serve({}) // error: from type 'Kolba'
