// Request headers that several extensions read. It is not part of `kolba`, which has the type of preferences alone.

export { callerOf, credentialsOf } from './caller.ts'
export { readIdempotencyKey } from './idempotency-key.ts'
export { type Preferences, preferencesOf } from './preferences.ts'
