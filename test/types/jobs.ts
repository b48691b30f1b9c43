import type { AddsOf } from 'kolba'
import { input } from 'kolba/input'
import {
  type JobAdds,
  type JobOfContext,
  type JobState,
  jobs,
  type Progress,
  sqlite,
  type TaskContext,
} from 'kolba/jobs'
import { int, object, text } from 'kolba/schema'
import { admin, app, signedIn, type User } from './given.ts'
import { same } from './same.ts'

const work = jobs({ engine: sqlite('jobs.db'), run: 'apart', retry: { attempts: 5 } })
const report = input({ body: object({ year: int(), title: text() }) })

// What background() adds is there below it, beside what stands above.
same<AddsOf<ReturnType<typeof work.background>>, JobAdds>(true)
app.post('/reports/:id', signedIn, report, work.background(), ctx => {
  same<typeof ctx.job, JobOfContext>(true)
  same<typeof ctx.params, { readonly id: string } | { id: string }>(false)
  ctx.progress(1, 2, ctx.params.id)
  ctx.progress('half') // error: Argument of type 'string' is not assignable
  ctx.job.id = '7' // error: read-only
  ctx.params.none // error: 'none' does not exist
  return { by: ctx.user.name, next: ctx.input.body.year + 1, aborted: ctx.signal.aborted }
})
app.post('/', signedIn, ctx => ctx.progress) // error: 'progress' does not exist
app.post('/', work.background(), signedIn, admin, ctx => ctx.user.name + ctx.job.attempt)
app.post('/', signedIn, work.background(), admin, ctx => ctx.job.attempt)
app.post('/', admin, work.background(), ctx => ctx.job.id) // error: 'user' is missing

// The functions of its options see what stands above, by their own types or by those of the stack.
interface SignedIn {
  user: User
}
const mine = work.background({ key: (ctx: SignedIn) => ctx.user.name, priority: ctx => (ctx.user.admin ? 1 : 0) })
app.post('/', signedIn, mine, ctx => ctx.job.id)
app.post('/', mine, ctx => ctx.job.id) // error: 'user' is missing
app.post('/', signedIn, work.background({ key: (ctx: SignedIn) => ctx.user.name, runAt: () => new Date() }), () => 1)
app.post('/', signedIn, work.background({ key: ctx => ctx.user.name }), ctx => ctx.job.id)
app.post('/', signedIn, work.background({ key: ctx => ctx.user.nam }), () => 1) // error: 'nam' does not exist
app.post('/:day', work.background({ delay: ctx => Number(ctx.params.day) }), () => 1)
work.background({ key: ctx => ctx.get('X-Key') || undefined })
work.background({ key: () => 7 }) // error: Type 'number' is not assignable
work.background({ delay: '5 s' }) // error: Type 'string' is not assignable
work.background({ when: 'sometimes' }) // error: not assignable
work.background({ thread: './heavy.ts' }) // error: Type 'string' is not assignable
work.background({ dely: 1 }) // error: 'dely' does not exist
jobs({ run: 'there' }) // error: not assignable

// A handler for a thread says what it is given, and no more than that is there for it.
function heavy({ input, job, params, progress }: TaskContext<{ input: { body: { year: number } } }>) {
  progress(input.body.year)
  return { id: job.id, day: params.day }
}
const thread = new URL('./heavy.ts', import.meta.url)
app.post('/heavy/:day', report, work.background({ thread }), heavy)
app.post('/heavy', report, work.background({ thread }), heavy)
app.post('/heavy', signedIn, report, work.background({ thread, key: ctx => ctx.user.name }), heavy)
app.post('/heavy', work.background({ thread }), heavy) // error: 'input' is missing
app.post('/heavy', report, heavy) // error: not assignable
const outside = (ctx: TaskContext) => ctx.get('X-Key') // error: Property 'get' does not exist
app.post('/heavy', work.background({ thread }), outside)

// The fields of a task are those of its handler.
const mail = work.task('mail', ({ to, job, signal }: TaskContext<{ to: string; text?: string }>) => {
  same<typeof to, string>(true)
  return `${job.id} ${to} ${signal.aborted}`
})
same<ReturnType<typeof mail.add>, Promise<string>>(true)
mail.add({ to: 'ada' }, { delay: '1 min' }) // error: Type 'string' is not assignable
mail.add({ to: 'ada', text: 'x' }, { runAt: new Date(), priority: 1, owner: 'ada', key: 'a' })
mail.add({ to: 7 }) // error: Type 'number' is not assignable
mail.add({}) // error: 'to' is missing
mail.add({ to: 'ada', cc: 'bob' }) // error: 'cc' does not exist
work.task<{ n: number }>('count', ctx => ctx.n + 1).add({ n: 1 })
work.task('any', ctx => ctx.job.attempt).add({ whatever: 1 })
work.task('mail', heavy, { when: 'preferred' }) // error: 'when' does not exist

work.every('5 min', ({ time, job }) => `${time.toISOString()} ${job.id}`, { name: 'tidy', timeout: 60 })
work.every('0 3 * * mon', async function tidy() {}, { timezone: 'Europe/Berlin' })
work.every(5, () => 1) // error: type 'number' is not assignable
work.every('5 min', ({ user }) => user) // error: 'user' does not exist
work.start({ drain: 5 }).then(() => work.close(0))

// A state as its resource has it.
const state = {} as JobState
same<typeof state.state, 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired'>(true)
same<typeof state.progress, Progress | null>(true)
app.mount('/jobs', work.routes, signedIn)
