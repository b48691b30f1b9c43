// Counts how often what costs something is called, by spies in the place of Node's own functions. Each file of tests runs
// in a thread of its own, so that no other file is disturbed.
import asyncHooks from 'node:async_hooks'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import querystring from 'node:querystring'
import url from 'node:url'

export type Step = 'clock' | 'hash' | 'random' | 'stringify' | 'parse' | 'query' | 'decode' | 'timer' | 'promise'
export type Steps = Partial<Record<Step, number>>

const counts: Steps = {}

/** What is called of whom, by what it is to the test. */
const CALLS: [Step, object, string[]][] = [
  ['clock', Date, ['now']],
  ['clock', performance, ['now']],
  ['clock', process, ['hrtime']],
  ['clock', process.hrtime, ['bigint']],
  ['hash', crypto, ['createHash', 'createHmac', 'hash', 'verify']],
  ['random', crypto, ['randomUUID', 'randomBytes', 'randomFillSync', 'randomInt']],
  ['stringify', JSON, ['stringify']],
  ['parse', JSON, ['parse']],
  ['query', querystring, ['parse', 'decode']],
  ['query', url, ['parse']],
  ['decode', globalThis, ['decodeURIComponent', 'decodeURI']],
  ['timer', globalThis, ['setTimeout', 'setInterval', 'setImmediate']],
]
const CLASSES: [Step, object, string[]][] = [
  ['clock', globalThis, ['Date']],
  ['query', globalThis, ['URLSearchParams', 'URL']],
  ['query', url, ['URLSearchParams', 'URL']],
]

function count(step: Step): void {
  counts[step] = (counts[step] ?? 0) + 1
}

/** Puts the spies in place, before what is to be counted is loaded. */
export function spyOnSteps(): void {
  for (const [step, target, names] of CALLS)
    for (const name of names.filter(it => it in target))
      replace(target, name, it => ({
        apply(_target, self, args) {
          count(step)
          return Reflect.apply(it, self, args)
        },
      }))
  for (const [step, target, names] of CLASSES)
    for (const name of names)
      replace(target, name, it => ({
        construct(_target, args, newTarget) {
          // `new Date(0)` asks no clock.
          if (step !== 'clock' || args.length === 0) count(step)
          return Reflect.construct(it, args, newTarget)
        },
      }))
  syncBuiltinESMExports()
  asyncHooks.createHook({ init: (_id, type) => type === 'PROMISE' && count('promise') }).enable()
}

type Callable = new (...args: unknown[]) => object

function replace(target: object, name: string, handler: (it: Callable) => ProxyHandler<Callable>): void {
  const original = Reflect.get(target, name) as Callable
  const value = new Proxy(original, handler(original))
  Object.defineProperty(target, name, { value, writable: true, configurable: true })
}

/** What has been counted while something ran. */
export async function stepsOf(run: () => unknown): Promise<Steps> {
  for (const step of Object.keys(counts)) delete counts[step as Step]
  await run()
  return { ...counts }
}
