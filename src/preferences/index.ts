// What extensions need of RFC 7240. It is not part of `kolba`, which has the type alone.

export { type Preferences, preferencesOf } from './preferences.ts'
