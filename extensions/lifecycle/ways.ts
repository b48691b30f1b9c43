import {
  type AroundContext,
  type BaseContext,
  isBytes,
  isResponse,
  type Note,
  nameOf,
  problem,
  Reply,
  type Route,
  readMediaType,
  readPath,
  statusOf,
} from '../../src/index.ts'

/** Where a client says which version it wants. */
export interface Way {
  /** @throws a problem, where there is no such version */
  choose(ctx: AroundContext): Choice
  /** @throws TypeError for a route on which nobody could say it */
  check?(route: Route): void
  readonly note: Note
}

export interface Choice {
  readonly version: string
  /** What tells the tags that `etag()` makes of one version from those of another; paths do that by themselves. */
  readonly representation?: string
  /** The value on its way up. */
  sent?(value: unknown): unknown
}

/** A version without the `v` that may stand before it. */
export function plain(version: string): string {
  return version.replace(/^v(?=\d)/i, '')
}

/** RFC 9110 section 12.5.5: what was looked at stands in Vary, also where it was not sent. */
export function byHeader(versions: readonly string[], first: string): Way {
  return {
    choose(ctx) {
      ctx.vary('Accept-Version')
      const version = plain(ctx.get('Accept-Version').trim()) || first
      if (!versions.includes(version)) throw unacceptable('Accept-Version', versions)
      ctx.set('API-Version', version)
      return { version, representation: `v${version}` }
    },
    note: {
      parameters: [
        { name: 'Accept-Version', in: 'header', schema: { type: 'string', enum: versions, default: first } },
      ],
      headers: { 'API-Version': { description: 'The version that answers', schema: { type: 'string' } } },
      responses: { 406: { description: 'There is no such version' } },
    },
  }
}

/** A path that has no such version leads nowhere. */
export function byPath(versions: readonly string[], first: string): Way {
  const schema = { type: 'string', enum: versions.flatMap(version => [`v${version}`, version]) }
  return {
    choose({ params }) {
      const version = plain(params.version ?? first)
      if (!versions.includes(version)) throw problem(404, { detail: `Nothing is at this path. ${there(versions)}` })
      return { version }
    },
    check(route) {
      const { required, optional } = readPath(nameOf(route), route.path)
      if (required.includes('version') || optional.includes('version')) return
      throw new TypeError(
        `${nameOf(route)}: versions looks for :version, which the path does not have. Write '/:version${route.path}'.`,
      )
    },
    note: {
      parameters: [{ name: 'version', in: 'path', required: true, schema }],
      responses: { 404: { description: 'Nothing is at this path' } },
    },
  }
}

/** RFC 9110 section 12.5.1, and section 12.5.5 for Vary. */
export function byMediaType(versions: readonly string[], first: string, vendor: string | undefined): Way {
  const media = (version: string) =>
    vendor
      ? [`application/vnd.${vendor}.v${version}+json`]
      : ['version=', 'version=v'].map(it => `application/json;${it}${version}`)
  const offers = new Map<string, Choice & { type?: string }>()
  const offer = (type: string, choice: Choice & { type?: string }) => {
    // JSON has no charset (RFC 8259 section 11), but some clients ask for one.
    for (const it of [type, `${type};charset=utf-8`]) offers.set(it, choice)
  }
  // Of those that suit the client equally well the first is taken.
  offer('application/json', { version: first })
  if (vendor) offer(`application/vnd.${vendor}+json`, { version: first, type: `application/vnd.${vendor}+json` })
  for (const version of versions) for (const type of media(version)) offer(type, { version, type })

  const types = [...offers.keys()]
  const available = versions.map(version => media(version)[0] as string)
  return {
    choose(ctx) {
      ctx.vary('Accept')
      // What says nothing, and the bare star of old clients, is no preference (RFC 9110 section 12.4.1).
      const isBlank = /^[\s,]*\*?[\s,]*$/.test(ctx.get('Accept'))
      const found = isBlank ? types[0] : ctx.accepts(types)
      if (!found) throw unacceptable('Accept', available)
      const { version, type } = offers.get(found) as Choice & { type?: string }
      if (!type) return { version, representation: `v${version}` }
      const representation = vendor ? type : `v${version}`
      return { version, representation, sent: value => label(ctx, type, value) }
    },
    note: {
      responses: {
        200: {
          description: 'The value as JSON',
          content: Object.fromEntries(['application/json', ...available].map(type => [type, {}])),
        },
        406: { description: 'There is no such version' },
      },
    },
  }
}

/** What is JSON, or will be, goes out as the media type that was asked for. */
function label(ctx: BaseContext, type: string, value: unknown): unknown {
  if (value === undefined || value instanceof Error || isResponse(value)) return value
  const { status, body, headers, source } = value instanceof Reply ? value : new Reply(statusOf(ctx), value)
  if (status >= 400 || body === undefined || body === null || isBytes(body)) return value
  const name = Object.keys(headers).find(name => name.toLowerCase() === 'content-type')
  if (name && readMediaType(String(headers[name]))?.type === 'application/json')
    return new Reply(status, body, { ...headers, [name]: type }, source)
  // A string without a type is text, or JSON if a json() further out makes it so; that one knows which.
  if (!name && typeof body !== 'string') ctx.set('Content-Type', type)
  return value
}

function unacceptable(header: string, available: readonly string[]) {
  return problem(406, { detail: `${header} asks for a version that is not there. ${there(available)}`, available })
}

function there(versions: readonly string[]): string {
  return versions.length < 2
    ? `There is ${versions[0]}.`
    : `There are ${versions.slice(0, -1).join(', ')} and ${versions.at(-1)}.`
}
