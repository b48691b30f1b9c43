import { Strict } from './inside-overload.ts'

/** So many requests a second, for so many seconds. */
export interface Phase {
  readonly rate: number
  readonly seconds: number
}

export interface Costs {
  /** Milliseconds of the processor that a request takes. */
  readonly work: number
  /** Milliseconds that it waits for something else before; on average, they vary by half. @default 0 */
  readonly wait?: number
  /** Milliseconds that a refusal takes. @default 0.05 */
  readonly refusal?: number
  /** Which random times. @default 1 */
  readonly seed?: number
}

/** What became of the requests of a phase, in milliseconds. */
export interface Outcome {
  readonly taken: number
  readonly refused: number
  /** Of those that were taken. */
  readonly p99: number
  /** When the last one was refused, since the phase began. */
  readonly lastRefusal: number
}

interface Request {
  readonly at: number
  readonly phase: number
}

/** What `overload()` allows a request to wait at most. */
const DELAY = 250
/** What a turn of an event loop that is idle asks of the system. */
const ASKING = 0.002

/**
 * An event loop without a machine: requests come at random times, always the same, a turn hears all that have come, one
 * after another, and its time is what they cost. `Strict` decides as in `overload()`.
 */
export function simulate(phases: readonly Phase[], { work, wait = 0, refusal = 0.05, seed = 1 }: Costs): Outcome[] {
  const random = randomOf(seed)
  const strict = new Strict(0.98, DELAY)
  const begins = phases.map((_, index) => 1000 * phases.slice(0, index).reduce((sum, it) => sum + it.seconds, 0))
  const outcomes = phases.map(() => ({ times: [] as number[], refused: 0, lastRefusal: 0 }))
  const arrivals = arrivalsOf(phases, begins, random)
  const waiting: (Request & { readonly due: number })[] = []
  let next = 0
  let underWay = 0
  let now = 0
  let ended = 0

  function answer({ at, phase }: Request): void {
    now += work * (0.9 + 0.2 * random())
    outcomes[phase]?.times.push(now - at)
  }

  function hear(request: Request, began: number): void {
    const outcome = outcomes[request.phase] as (typeof outcomes)[number]
    if (strict.refuses(now, now - began, underWay) || now - began > DELAY) {
      now += refusal
      outcome.refused += 1
      outcome.lastRefusal = request.at - (begins[request.phase] as number)
    } else if (wait > 0) {
      underWay += 1
      const due = now + wait * (0.5 + random())
      const place = waiting.findIndex(it => it.due > due)
      waiting.splice(place < 0 ? waiting.length : place, 0, { ...request, due })
    } else answer(request)
  }

  while (next < arrivals.length || waiting.length > 0) {
    const soonest = Math.min(arrivals[next]?.at ?? Infinity, waiting[0]?.due ?? Infinity)
    const paused = Math.max(ASKING, soonest - now)
    now += paused
    const began = now
    while ((waiting[0]?.due ?? Infinity) <= began) {
      answer(waiting.shift() as Request)
      underWay -= 1
      strict.settled(() => now - began, underWay)
    }
    while ((arrivals[next]?.at ?? Infinity) <= began) hear(arrivals[next++] as Request, began)
    strict.turned({ now, took: now - ended, paused }, underWay)
    ended = now
  }
  return outcomes.map(({ times, ...its }) => ({ ...its, taken: times.length, p99: p99Of(times) }))
}

function arrivalsOf(phases: readonly Phase[], begins: readonly number[], random: () => number): Request[] {
  return phases.flatMap(({ rate, seconds }, phase) => {
    const requests: Request[] = []
    const begin = begins[phase] as number
    const gap = () => (-Math.log(1 - random()) * 1000) / rate
    for (let at = begin + gap(); at < begin + seconds * 1000; at += gap()) requests.push({ at, phase })
    return requests
  })
}

function p99Of(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
}

/** Numbers from 0 to 1 that are the same each time. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
