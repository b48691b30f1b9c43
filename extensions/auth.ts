/**
 * Who may call. Values that are decorators: those that add `ctx.user`, and those that look at it.
 *
 * | adds `ctx.user`, or answers 401 | |
 * |---|---|
 * | `tokenAuth({ secret | keys | jwks | verify, issuer, audience })` | a bearer token, RFC 6750 |
 * | `basicAuth((name, password) => user)` | a name and a password, RFC 7617 |
 * | `apiKey({ verify: key => user })` | a key in a header |
 * | `anyOf(a, b)`, `optional(a)` | one of several; or nobody |
 *
 * | looks at `ctx.user`, or answers 403 | |
 * |---|---|
 * | `roles('admin')`, `scopes('notes:write')` | one of the roles; all of the scopes |
 * | `permit((user, ctx) => boolean)`, `mayRead((user, thing) => boolean)` | what one may do, and see |
 * | `and(...)`, `or(...)`, `not(a)` | of those |
 *
 * `issueTokens({ ... })` gives tokens, `hashPassword`, `verifyPassword` and `needsRehash` keep passwords, `secretToken`
 * makes keys.
 */
export { type ApiKeyOptions, apiKey } from './auth/api-key.ts'
export { type BasicOptions, basicAuth } from './auth/basic.ts'
export type { Claims } from './auth/claims.ts'
export { and, not, or } from './auth/combine.ts'
export { type IssueOptions, issueTokens, type TokenRoutes } from './auth/issue.ts'
export type { Credentials, Tokens } from './auth/issue-fields.ts'
export type { Keys } from './auth/key-ring.ts'
export type { Algorithm, Jwk, KeyInput, NamedKey } from './auth/keys.ts'
export { mayRead } from './auth/may-read.ts'
export { hashPassword, needsRehash, type PasswordOptions, verifyPassword } from './auth/password.ts'
export { type PermitOptions, permit, roles, scopes } from './auth/permit.ts'
export { hashToken, isSecretToken, sameSecret, secretToken } from './auth/secret-token.ts'
export { anyOf, optional } from './auth/several.ts'
export { memoryTokens, type TokenStore } from './auth/store.ts'
export { tokenAuth } from './auth/token.ts'
export type { TokenOptions, VerifyOptions } from './auth/token-options.ts'
