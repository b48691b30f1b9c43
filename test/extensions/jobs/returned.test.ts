import test, { type ExecutionContext } from 'ava'
import { created, type Kolba, kolba, problem, reply } from 'kolba'
import { type Jobs, jobs } from 'kolba/jobs'
import { MemoryLogger } from '../../support/memory-logger.js'

function open(t: ExecutionContext): { app: Kolba; work: Jobs; logger: MemoryLogger } {
  const logger = new MemoryLogger()
  const app = kolba({ signals: false, logger })
  const work = jobs()
  app.mount('/jobs', work.routes)
  t.teardown(() => app.close())
  return { app, work, logger }
}

async function begin(app: Kolba): Promise<string> {
  return (await app.client().post('/x')).headers.get('location') as string
}

const end = (app: Kolba, job: string) => app.client().get(job, { headers: { Prefer: 'wait=20' } })

const handlers: Record<string, () => unknown> = {
  returned: () => problem(409, { detail: 'It is lent.' }),
  'in a reply': () => reply(200, problem(409, { detail: 'It is lent.' })),
  'promised by the handler': async () => problem(409, { detail: 'It is lent.' }),
}

for (const [title, handler] of Object.entries(handlers))
  test(`a problem that is ${title} is what the job comes to, as if it were thrown`, async t => {
    const { app, work } = open(t)
    app.post('/x', work.background(), handler)
    const job = await begin(app)
    const response = await end(app, job)
    t.is(response.status, 409)
    t.is(response.headers.get('content-type'), 'application/problem+json')
    t.like(await response.json(), { detail: 'It is lent.', instance: job })
  })

test('an error that is returned is 500, and says nothing of itself', async t => {
  const { app, work, logger } = open(t)
  app.post('/x', work.background({ retry: false }), () => new Error('the secret'))
  const response = await end(app, await begin(app))
  t.is(response.status, 500)
  t.notRegex(await response.text(), /secret/)
  t.true(logger.lines.some(({ fields }) => fields.err?.message === 'the secret'))
})

test('a problem that a task returns is its failure', async t => {
  const { app, work } = open(t)
  const task = work.task('lend', () => problem(409, { detail: 'It is lent.' }))
  app.post('/x', work.background(), () => 'unused')
  await app.client().get('/') // which starts the app
  const response = await end(app, `/jobs/${await task.add({})}`)
  t.is(response.status, 409)
})

test('the last state of an event stream leads to what was created', async t => {
  const { app, work } = open(t)
  app.post('/x', work.background(), () => created('/books/1', { title: 'Emma' }))
  const job = await begin(app)
  t.is((await end(app, job)).status, 303)
  const text = await (await app.client().get(job, { headers: { Accept: 'text/event-stream' } })).text()
  const [, data = ''] = /^data: (.*)$/m.exec(text) ?? []
  t.like(JSON.parse(data), { state: 'succeeded', _links: { result: { href: '/books/1' } } })
})
