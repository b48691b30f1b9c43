// A program that does the jobs which another one makes, with or without the app; it tells its parent what happens.
import { kolba, reply } from 'kolba'
import { jobs, sqlite, type TaskContext } from 'kolba/jobs'

const { FILE = '', APP = '', DRAIN = '10' } = process.env
const tell = (word: object) => process.send?.(word)
const logger = { info() {}, warn() {}, error: (fields: object, message?: string) => console.error(message, fields) }
const work = jobs({ engine: sqlite(FILE), logger, ...(APP && { run: 'apart' }) })
let go = () => {}
const gone = new Promise<void>(resolve => {
  go = resolve
})

type Fields = TaskContext<{ input: { waits?: string }; user?: { id: string } }>

async function report({ input, user, job, params, progress, signal }: Fields) {
  progress(1, 2, 'Reading')
  tell({ began: job.id, attempt: job.attempt })
  if (input.waits === 'go') await gone
  if (input.waits === 'signal') {
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    tell({ aborted: String(signal.reason) })
  }
  return reply(201, { input, user, year: params.year, by: process.pid }, { Location: `/reports/${job.id}` })
}

process.once('SIGTERM', () => tell({ stopping: true }))
process.on('message', message => message === 'go' && go())
// The channel to the parent is no reason to go on.
process.channel?.unref()

if (APP) {
  const app = kolba({ logger, timeouts: { drain: Number(DRAIN) } })
  app.post('/reports/:year', work.background({ name: 'report' }), report as never)
  app.mount('/jobs', work.routes)
  await app.work()
  tell({ isWorker: app.isWorker })
} else {
  work.task<Fields>('report', report)
  await work.start({ drain: Number(DRAIN) })
}
tell({ ready: true, servers: process.getActiveResourcesInfo().filter(name => name.includes('Server')).length })
