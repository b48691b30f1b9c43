import { setTimeout as sleep } from 'node:timers/promises'
import { type AnyDecorator, type Context, kolba, reply } from 'kolba'
import { type IdempotencyStore, idempotent } from 'kolba/idempotency'
import { json } from 'kolba/json'
import { output } from 'kolba/output'
import { flag } from 'kolba/schema'
import { keeping } from './layers.js'

const JSON_TYPE = 'application/json; charset=utf-8'
const TEXT_TYPE = 'text/plain; charset=utf-8'

type Late = readonly [status: number, type: string | null, body: string]

/** Says a status while there is time. */
function accepted(ctx: Context): void {
  ctx.status = 202
}

/** Handlers that take too long: what they say before, what they give after, and how that goes out. */
const LATE: [title: string, below: AnyDecorator[], before: (ctx: Context) => void, value: () => unknown, late: Late][] =
  [
    ['an object', [], () => {}, () => ({ done: true }), [200, JSON_TYPE, '{"done":true}']],
    ['an object below json()', [json()], () => {}, () => ({ done: true }), [200, JSON_TYPE, '{"done":true}']],
    ['text', [], () => {}, () => 'done', [200, TEXT_TYPE, 'done']],
    ['text below json()', [json()], () => {}, () => 'done', [200, JSON_TYPE, '"done"']],
    ['null', [], () => {}, () => null, [204, null, '']],
    ['null below json()', [json()], () => {}, () => null, [204, null, '']],
    ['a reply', [], () => {}, () => reply(201, { id: 7 }), [201, JSON_TYPE, '{"id":7}']],
    ['a reply below json()', [json()], () => {}, () => reply(201, { id: 7 }), [201, JSON_TYPE, '{"id":7}']],
    [
      'what output() lets out',
      [output({ done: flag() })],
      () => {},
      () => ({ done: true, secret: 1 }),
      [200, JSON_TYPE, '{"done":true}'],
    ],
    ['a status before', [], accepted, () => ({ done: true }), [202, JSON_TYPE, '{"done":true}']],
    ['a status before, below json()', [json()], accepted, () => ({ done: true }), [202, JSON_TYPE, '{"done":true}']],
  ]

/** What each is answered with, first and when it comes again, and what it should be. */
export async function lateAnswers(store: IdempotencyStore): Promise<{ given: unknown[]; expected: unknown[] }> {
  const app = kolba({ timeouts: { handler: 0.5 }, logger: keeping() })
  const gates = LATE.map(gateOf)
  for (const [index, [, below, before, value]] of LATE.entries()) {
    // biome-ignore lint/suspicious/noExplicitAny: a list of any decorators has no overload
    ;(app.post as any)(`/${index}`, idempotent({ store }), ...below, async (ctx: Context) => {
      before(ctx)
      await gates[index]?.opened
      return value()
    })
  }
  const client = app.client()
  const send = (index: number) => client.post(`/${index}`, { headers: { 'Idempotency-Key': '"k"' } })
  const expected = LATE.map(([title, , , , late]) => [title, 503, 409, ...late, null, 'true'])
  const given = await Promise.all(
    LATE.map(async ([title], index) => {
      const statuses = [(await send(index)).status, (await send(index)).status]
      gates[index]?.open()
      let last = await send(index)
      while (last.status === 409) {
        await sleep(5)
        last = await send(index)
      }
      const { status, headers } = last
      const [type, ...others] = ['content-type', 'retry-after', 'idempotency-replayed'].map(name => headers.get(name))
      return [title, ...statuses, status, type, await last.text(), ...others]
    }),
  )
  return { given, expected }
}

function gateOf() {
  let open: () => void = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}
