import { bodyReader } from '../../src/body/body.ts'
import {
  type AroundContext,
  type BaseContext,
  type Decorator,
  decorator,
  type JsonObject,
  type Next,
  type Note,
  problem,
  type Route,
} from '../../src/index.ts'
import { isObject } from './json.ts'

/** What is asked of whoever signs in, and whatever else was sent. */
export interface Credentials {
  readonly username: string
  readonly password: string
  readonly [more: string]: unknown
}

/** RFC 6749 section 5.1. */
export interface Tokens {
  readonly access_token: string
  readonly token_type: 'Bearer'
  /** Seconds. */
  readonly expires_in: number
  readonly refresh_token: string
}

const LONGEST = 1024
const reader = () => bodyReader('issueTokens', { types: ['json', 'form'], limit: 16_384, depth: 8, keys: 100 })

async function read(ctx: BaseContext, its: ReturnType<typeof reader>): Promise<Record<string, unknown>> {
  const { input } = ctx as { input?: { body?: unknown } }
  const value = input && 'body' in input ? input.body : (await its.read(ctx)).value
  if (isObject(value)) return value
  throw malformed('The body is no object.')
}

function textIn(body: Record<string, unknown>, name: string): string {
  const value = Object.hasOwn(body, name) ? body[name] : undefined
  if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST) return value
  throw malformed(`Send ${name}, a text of 1 to ${LONGEST} characters.`)
}

function malformed(detail: string) {
  return problem(400, { detail, error: 'invalid_request' })
}

function described(names: readonly string[], its: ReturnType<typeof reader>, answer: JsonObject): Note {
  const properties = Object.fromEntries(names.map(name => [name, { type: 'string', maxLength: LONGEST }]))
  const schema = { type: 'object', properties, required: names }
  return {
    requestBody: { required: true, content: Object.fromEntries(its.media.map(media => [media, { schema }])) },
    responses: {
      ...its.note.responses,
      200: { description: 'RFC 6749 section 5.1', content: { 'application/json': { schema: answer } } },
      400: { description: 'Malformed, or not valid: see error' },
    },
  }
}

const text = { type: 'string' }
const TOKENS = {
  type: 'object',
  properties: { access_token: text, token_type: text, expires_in: { type: 'integer' }, refresh_token: text },
}

const ADVICE = 'of issueTokens() keeps tokens that other processes do not know. Give store'

/** Reads name and password, as `ctx.credentials`. */
export function signIn(isShared: boolean): Decorator<{ credentials: Credentials }> {
  const its = reader()
  const around = async (ctx: AroundContext, next: Next<{ credentials: Credentials }>) => {
    const body = await read(ctx, its)
    const credentials = { ...body, username: textIn(body, 'username'), password: textIn(body, 'password') }
    return next({ credentials })
  }
  const note = described(['username', 'password'], its, TOKENS)
  function register(route: Route): undefined {
    if (!isShared) route.app.perProcess.push({ route, decorator: 'signIn', advice: ADVICE })
  }
  return decorator('signIn', around, { reads: true, note, register })
}

/** Reads one text of the body, as `ctx.given`. */
export function fields(name: string): Decorator<{ given: string }> {
  const its = reader()
  const around = async (ctx: AroundContext, next: Next<{ given: string }>) =>
    next({ given: textIn(await read(ctx, its), name) })
  const answer = name === 'token' ? { type: 'object' } : TOKENS
  return decorator('fields', around, { reads: true, note: described([name], its, answer) })
}
