import test from 'ava'
import { type BackgroundOptions, type JobsOptions, jobs, memory, type TaskOptions } from 'kolba/jobs'
import { json } from 'kolba/json'

const COMMON: [options: object, message: string][] = [
  [{ retry: true }, 'the option retry is true. Give false, or an object with attempts, delay and maxDelay.'],
  [{ retry: [] }, 'the option retry is a list. Give false, or an object with attempts, delay and maxDelay.'],
  [{ timeout: 0 }, 'the option timeout is 0. Give a number of seconds above 0.'],
  [{ timeout: '5' }, 'the option timeout is "5". Give a number of seconds above 0.'],
  [{ timeout: Number.POSITIVE_INFINITY }, 'the option timeout is Infinity. Give a number of seconds above 0.'],
  [{ timeout: 2 ** 31 }, 'the option timeout is 2147483648. Give a number of seconds above 0.'],
  [{ concurrency: 0 }, 'the option concurrency is 0. Give a whole number from 1.'],
  [{ concurrency: 1.5 }, 'the option concurrency is 1.5. Give a whole number from 1.'],
  [{ limit: -1 }, 'the option limit is -1. Give a whole number from 1.'],
  [{ limit: Number.NaN }, 'the option limit is NaN. Give a whole number from 1.'],
  [{ keep: 0 }, 'the option keep is 0. Give a number of seconds above 0.'],
]

const RETRY: [retry: object, message: string][] = [
  [{ attempts: 0 }, 'the option attempts is 0. Give a whole number from 1.'],
  [{ attempts: '3' }, 'the option attempts is "3". Give a whole number from 1.'],
  [{ delay: -1 }, 'the option delay is -1. Give a number of seconds above 0.'],
  [{ maxDelay: Number.NaN }, 'the option maxDelay is NaN. Give a number of seconds above 0.'],
  [{ tries: 3 }, 'the option "tries" is unknown. It takes attempts, delay and maxDelay.'],
]

const ROUTE: [options: object, message: string][] = [
  [{ status: 204 }, 'the option status is 204. Give one of 200 and 202.'],
  [{ autoDelete: 1 }, 'the option autoDelete is 1. Give true or false.'],
  [{ replay: 'yes' }, 'the option replay is "yes". Give true or false.'],
]

const JOBS: [options: object, message: string][] = [
  [{ engine: {} }, 'the option engine is an object. Give memory(), sqlite(file) or bullmq(connection).'],
  [{ engine: memory }, 'the option engine is the function memory. Give memory(), sqlite(file) or bullmq(connection).'],
  [{ engine: null }, 'the option engine is null. Give memory(), sqlite(file) or bullmq(connection).'],
  [{ lease: 0 }, 'the option lease is 0. Give a number of seconds above 0.'],
  [{ run: 'there' }, 'the option run is "there". Give one of "here" and "apart".'],
  [{ list: () => 1 }, 'the option list is the function list. Give a decorator, such as collection(...).'],
  [{ list: json }, 'the option list is the function json. Give a decorator, such as collection(...).'],
  [{ principal: 'ada' }, 'the option principal is "ada". Give a function.'],
  [{ logger: {} }, 'the option logger is an object. Give an object with the methods info, warn and error.'],
  [
    { conncurrency: 1 },
    'the option "conncurrency" is unknown. It takes retry, timeout, concurrency, limit, keep, status, autoDelete, replay, engine, lease, run, list, principal and logger.',
  ],
  [{ run: 'apart' }, 'run is "apart", and no other process sees what is in memory. Give an engine that lasts.'],
  [
    { run: 'apart', engine: memory() },
    'run is "apart", and no other process sees what is in memory. Give an engine that lasts.',
  ],
]

const BACKGROUND: [options: object, message: string][] = [
  [{ name: '' }, 'the option name is "". Give a non-empty string.'],
  [{ when: 'never' }, 'the option when is "never". Give one of "always" and "preferred".'],
  [{ delay: -1 }, 'the option delay is -1. Give a number of seconds from 0, or a function that gives it.'],
  [{ delay: Number.NaN }, 'the option delay is NaN. Give a number of seconds from 0, or a function that gives it.'],
  [{ runAt: 5 }, 'the option runAt is 5. Give a Date, or a function that gives it.'],
  [{ runAt: new Date(Number.NaN) }, 'the option runAt is an object. Give a Date, or a function that gives it.'],
  [{ delay: 1, runAt: new Date() }, 'there are delay and runAt. Give one of them.'],
  [
    { priority: 1001 },
    'the option priority is 1001. Give a whole number from -1000 to 1000, or a function that gives it.',
  ],
  [{ key: 'a' }, 'the option key is "a". Give a function.'],
  [{ fields: 'user' }, 'the option fields is "user". Give a list of non-empty strings.'],
  [{ fields: [''] }, 'the option fields is a list. Give a list of non-empty strings.'],
  [{ thread: './heavy.ts' }, 'the option thread is "./heavy.ts". Give a URL, new URL("./heavy.ts", import.meta.url).'],
  [
    { engine: memory() },
    'the option "engine" is unknown. It takes retry, timeout, concurrency, limit, keep, status, autoDelete, replay, name, when, delay, runAt, priority, key, fields and thread.',
  ],
]

const work = jobs()
const task = (options: object) => work.task('x', () => 1, options as TaskOptions)
const every = (options: object) => work.every('5 min', function tidy() {}, options as TaskOptions)

const PLACES: [where: string, use: (options: object) => unknown, table: [object, string][]][] = [
  ['jobs', options => jobs(options as JobsOptions), [...COMMON, ...ROUTE, ...JOBS]],
  ['background', options => work.background(options as BackgroundOptions), [...COMMON, ...ROUTE, ...BACKGROUND]],
  ['task x', task, COMMON],
  ['every tidy', every, COMMON],
]

for (const [where, use, table] of PLACES) {
  for (const [index, [options, message]] of table.entries()) {
    test(`${where} ${index}: ${message}`, t => {
      t.throws(() => use(options), { instanceOf: TypeError, message: `${where}: ${message}` })
    })
  }
  for (const [retry, message] of RETRY) {
    test(`${where} retry: ${message}`, t => {
      t.throws(() => use({ retry }), { instanceOf: TypeError, message: `${where} retry: ${message}` })
    })
  }
}

test('options that are undefined are as if they were not given', t => {
  t.notThrows(() => jobs({ engine: undefined, retry: undefined, timeout: undefined } as object))
  t.notThrows(() => work.background({ delay: undefined, runAt: undefined, retry: undefined } as object))
})

test('jobs() and background() refuse what are no options', t => {
  t.throws(() => jobs(null as never), {
    instanceOf: TypeError,
    message: /^jobs: the options are null\. Give an object/,
  })
  t.throws(() => work.background((() => 1) as never), {
    instanceOf: TypeError,
    message: /^background: the options are the function without a name\. Give an object/,
  })
  t.throws(() => work.task('x', undefined as never), {
    instanceOf: TypeError,
    message: 'task x: this is no function. Give one that takes ctx.',
  })
})
