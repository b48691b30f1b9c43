import { createHash } from 'node:crypto'
import type { Algorithm } from './rule.ts'

/** A script for Redis, and the name that Redis has for it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

// The same as in algorithms.ts, in Lua, by the clock of Redis: one for all processes. Numbers are whole and below 2^53,
// and %.0f writes all their digits.
const BEGIN = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, limit, per, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local state = redis.call('HMGET', KEYS[1], 'start', 'count', 'before')
local start, count, before = tonumber(state[1]), tonumber(state[2]) or 0, tonumber(state[3]) or 0
local allowed, remaining, after, keep
`

const END = `
local function digits(number) return string.format('%.0f', number) end
redis.call('HSET', KEYS[1], 'start', digits(start), 'count', digits(count), 'before', digits(before))
redis.call('PEXPIRE', KEYS[1], digits(math.max(keep, 1)))
return { allowed and 1 or 0, remaining, after, start }
`

const FIXED = `
if not start or now >= start + per then start, count = now, 0 end
if now < start then start = now end
allowed = count + cost <= limit
if allowed then count = count + cost end
remaining, after = limit - count, start + per - now
keep = after
`

const SLIDING = `
if not start or now >= start + 2 * per then start, count, before = now, 0, 0
elseif now >= start + per then start, count, before = start + per, 0, count end
if now < start then start = now end
local left = start + per - now
local room = limit * per - before * left
allowed = (count + cost) * per <= room
if allowed then count = count + cost end
remaining = math.max(0, math.floor(room / per) - count)
local wanted = allowed and 1 or cost
if allowed and remaining > 0 then after = left
elseif count + wanted <= limit then after = left - math.floor((limit - count - wanted) * per / before)
else after = left + per - math.floor((limit - wanted) * per / count) end
keep = left + per
`

const GCRA = `
local level = math.max(0, count - math.max(0, now - (start or now)) * limit)
allowed = level + cost * per <= burst * per
start, count = now, level
if allowed then count = level + cost * per end
remaining = math.floor((burst * per - count) / per)
local wanted = allowed and 1 or cost
local over = count + (wanted - burst) * per
if allowed and remaining > 0 then over = count end
after = math.ceil(over / limit)
keep = math.ceil(count / limit)
`

const GIVE_BACK = `
local cost, per, from = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[5])
local start = tonumber(redis.call('HGET', KEYS[1], 'start'))
local field
if start == from then field = 'count' elseif start == from + per then field = 'before' end
if field then
  local left = math.max(0, tonumber(redis.call('HGET', KEYS[1], field)) - cost)
  redis.call('HSET', KEYS[1], field, string.format('%.0f', left))
end
return 1
`

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export const TAKE: Record<Algorithm, Script> = {
  fixed: script(BEGIN + FIXED + END),
  sliding: script(BEGIN + SLIDING + END),
  gcra: script(BEGIN + GCRA + END),
}

export const GIVE: Script = script(GIVE_BACK)
