import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { differences } from './differences.ts'
import { type Case, type Step, textOf } from './format.ts'
import { judge, type Received } from './judge.ts'
import type { Origin, Run } from './origin.ts'

export interface Asked {
  readonly method: string
  /** In the order that they are to be sent in; a name may be there twice. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | undefined
}

/** Sends a request through a cache. */
export type Send = (url: string, request: Asked) => Promise<Received>

export interface Outcome {
  /** What the cache has done wrong, by this case. */
  readonly wrong: string | undefined
  /** Has the client got a text that the origin has not sent in this case, such as that of another? */
  readonly isForeign: boolean
  /**
   * What the origin has done otherwise than the one that the cases were made with. It is looked at when all is over,
   * because a cache may still ask when its client has been answered.
   */
  differences(): readonly string[]
}

/** In milliseconds: longer than what is to become stale is fresh, which is two seconds. */
const PAUSE = 3000

/** Plays a case, one step after another, with an entry of its own in the cache. */
export async function play({ id, requests }: Case, send: Send, { runs }: Origin, base: string): Promise<Outcome> {
  const name = randomUUID()
  const run: Run = { steps: requests, visits: [] }
  runs.set(name, run)
  const received: Received[] = []
  let failure: string | undefined
  try {
    for (const [index, step] of requests.entries()) {
      received.push(await send(urlOf(base, name, step), requestOf(id, step, index + 1, received.at(-1))))
      if (step.pause_after) await sleep(PAUSE)
    }
  } catch (error) {
    failure = `request ${received.length + 1} failed: ${error}`
  }
  const texts = requests.flatMap(it => [it.response_body || name, it.expected_response_text ?? ''])
  return {
    wrong: failure ?? judge(name, requests, received, run.visits),
    isForeign: received.some(({ text }) => text !== '' && !texts.includes(text)),
    differences: () => differences(run, name),
  }
}

function urlOf(base: string, name: string, { filename, query_arg }: Step): string {
  return `${base}/test/${name}${filename ? `/${filename}` : ''}${query_arg ? `?${query_arg}` : ''}`
}

function requestOf(id: string, step: Step, number: number, last: Received | undefined): Asked {
  const place = { now: Number(last?.headers['server-now']), path: '' }
  const own = (step.request_headers ?? []).map(field => [field[0], textOf(field, step, place)] as const)
  return {
    method: step.request_method ?? 'GET',
    headers: [...own, ['Test-ID', id], ['Req-Num', String(number)]],
    body: step.request_body,
  }
}
