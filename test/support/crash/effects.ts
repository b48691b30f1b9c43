import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { decorator, kolba } from 'kolba'
import { body } from 'kolba/body'
import { idempotent } from 'kolba/idempotency'
import { json } from 'kolba/json'

/** A service as a handler would use it, that nobody kills: it does what it is asked for once for each Idempotency-Key. */
export interface Effects {
  readonly url: string
  /** How often it was asked, and what it has done: the key, and the number of the order. */
  readonly asked: () => number
  readonly done: readonly { readonly id: string; readonly number: number }[]
  close(): Promise<void>
}

export async function startEffects(): Promise<Effects> {
  const done: { id: string; number: number }[] = []
  let count = 0
  const asked = decorator('asked', (_ctx, next) => {
    count += 1
    return next()
  })
  const app = kolba({ signals: false })
  app.post('/effects', asked, idempotent({ required: true }), json(), body(), ctx => {
    const { number } = ctx.input.body as { number: number }
    done.push({ id: ctx.get('Idempotency-Key').slice(1, -1), number })
    return { number }
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/effects`, asked: () => count, done, close: () => app.close() }
}
