// A module whose default export runs in a thread: what it does is said by the path.
import { threadId } from 'node:worker_threads'
import { created, problem, reply } from 'kolba'
import type { TaskContext } from 'kolba/jobs'

interface Fields {
  readonly input: Readonly<Record<string, unknown>>
}
type Heavy = TaskContext<Fields>

export class Broken extends RangeError {
  override readonly name = 'Broken'
  readonly code = 'E_BROKEN'
  readonly socket = { write() {} }
  get status() {
    return 502
  }
}

class Money {
  readonly amount = 7
}

/** Where it runs, as long as it does: others hear its beats. */
const beats = new BroadcastChannel('kolba-beats') as BroadcastChannel & { unref(): void }
beats.unref()

/** Keeps the processor busy, for good or for so many milliseconds. */
function compute(name: string, milliseconds = Number.POSITIVE_INFINITY): void {
  const end = performance.now() + milliseconds
  for (let next = 0; performance.now() < end; ) {
    if (performance.now() < next) continue
    beats.postMessage(name)
    next = performance.now() + 5
  }
}

const DOES: Record<string, (ctx: Heavy) => unknown> = {
  where: () => threadId,
  given: ({ progress, signal, ...rest }) => ({ ...rest, aborted: signal.aborted, kinds: kindsOf(rest.input) }),
  echo: ({ input }) => input,
  nothing: () => undefined,
  null: () => null,
  reply: () => reply(203, { made: true }, { 'X-Heavy': 'yes', Link: ['</a>', '</b>'] }),
  created: () => created('/things/7', { id: 7 }),
  bytes: () => Buffer.from([1, 2, 255]),
  later: async () => new Promise(resolve => setTimeout(resolve, 20, 'later')),

  function: () => ({ list: [{ run() {} }] }),
  instance: () => new Money(),
  response: () => new Response('x'),
  circle: () => {
    const circle: Record<string, unknown> = {}
    circle.again = circle
    return circle
  },

  broken: () => {
    throw new Broken('It broke.', { cause: new TypeError('There is the cause.', { cause: 'and no more' }) })
  },
  problem: () => {
    throw problem(409, { detail: 'It is there.', isbn: '1', headers: { 'X-Why': 'there' } })
  },
  returned: () => problem(410, { detail: 'It is gone.' }),
  final: () => {
    throw Object.assign(new Error('Never again.'), { retry: false })
  },
  text: () => {
    throw 'text'
  },
  thing: () => {
    throw { retry: false, at: new Date(0) }
  },
  money: () => {
    throw new Money()
  },
  exit: () => process.exit(3),
  uncaught: () => new Promise(() => setTimeout(() => Promise.reject(new Error('Nobody waits for this.')))),
  wrong: ({ progress }) => progress(-1),

  forever: ({ job }) => compute(job.id),
  called: ({ input }) => compute(input.name as string),
  once: ({ job }) => (job.attempt === 1 ? compute(job.id) : `attempt ${job.attempt}`),
  busy: ({ job, input }) => compute(job.id, input.milliseconds as number),
  report: ({ progress }) => {
    for (let done = 0; done <= 20_000; done++) progress(done, 20_000, `row ${done}`)
    return 'reported'
  },
  half: async ({ progress }) => {
    progress(1, 2)
    await new Promise(resolve => setTimeout(resolve, 300))
    progress(2, 2)
  },
}

export default function heavy(ctx: Heavy): unknown {
  return DOES[ctx.params.what as string]?.(ctx)
}

function kindsOf(input: object): Record<string, string> {
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value?.constructor?.name ?? 'none']))
}
