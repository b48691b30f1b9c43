import type { Algorithm, Rule } from './rule.ts'
import type { Taken } from './store.ts'

/** What is kept of one key. What the numbers count is the algorithm's own. */
export interface State {
  start: number
  count: number
  before: number
}

type Take = (state: State, cost: number, rule: Rule, now: number) => Taken

/** Nothing was taken yet: whatever begins here has ended by now. */
export function fresh(): State {
  return { start: Number.NEGATIVE_INFINITY, count: 0, before: 0 }
}

/** A window begins with the first request after the last one, and has the whole quota. */
const fixed: Take = (state, cost, { limit, per }, now) => {
  if (now >= state.start + per) Object.assign(state, { start: now, count: 0 })
  // The clock was set back. The window begins again, with what was taken from it.
  if (now < state.start) state.start = now
  const allowed = state.count + cost <= limit
  if (allowed) state.count += cost
  return { allowed, remaining: limit - state.count, after: state.start + per - now, start: state.start }
}

/**
 * Windows as above, one right after the other, and of the last one the share that still lies within `per` from now. So
 * there is no edge at which a client has twice its quota. Everything is multiplied by `per`, to be whole.
 */
const sliding: Take = (state, cost, { limit, per }, now) => {
  if (now >= state.start + 2 * per) Object.assign(state, { start: now, count: 0, before: 0 })
  else if (now >= state.start + per) Object.assign(state, { start: state.start + per, before: state.count, count: 0 })
  if (now < state.start) state.start = now
  const left = state.start + per - now
  const room = limit * per - state.before * left
  const allowed = (state.count + cost) * per <= room
  if (allowed) state.count += cost
  const remaining = Math.max(0, Math.floor(room / per) - state.count)
  const wanted = allowed ? 1 : cost
  const after = allowed && remaining > 0 ? left : wait(state, wanted, limit, per, left)
  return { allowed, remaining, after, start: state.start }
}

function wait({ count, before }: State, cost: number, limit: number, per: number, left: number): number {
  if (count + cost <= limit) return left - Math.floor(((limit - count - cost) * per) / before)
  return left + per - Math.floor(((limit - cost) * per) / count)
}

/**
 * The generic cell rate algorithm (ITU-T I.371) in its other form, a bucket that leaks: what was taken flows off at an
 * even rate, and at most `burst` fits. The level is multiplied by `per`, so `limit` flows off in a millisecond.
 */
const gcra: Take = (state, cost, { limit, per, burst }, now) => {
  const level = Math.max(0, state.count - Math.max(0, now - state.start) * limit)
  const allowed = level + cost * per <= burst * per
  state.start = now
  state.count = allowed ? level + cost * per : level
  const remaining = Math.floor((burst * per - state.count) / per)
  const wanted = allowed ? 1 : cost
  const over = allowed && remaining > 0 ? state.count : state.count + (wanted - burst) * per
  return { allowed, remaining, after: Math.ceil(over / limit), start: now }
}

export const ALGORITHMS: Record<Algorithm, Take> = { fixed, sliding, gcra }

/** Takes back a count from the window it went to, where that is still looked at. */
export function giveBack(state: State, cost: number, { per }: Rule, start: number): void {
  if (state.start === start) state.count = Math.max(0, state.count - cost)
  else if (state.start === start + per) state.before = Math.max(0, state.before - cost)
}
