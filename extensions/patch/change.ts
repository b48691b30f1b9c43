import { type BodyKind, type BodyOptions, type BodyReader, excessOf, parseJson, readerOf } from '../../src/body/body.ts'
import { type BaseContext, problem } from '../../src/index.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { readOperations } from './operations.ts'

export type PatchType = 'json-patch' | 'merge-patch'

/** How a patch is read. */
export interface ChangeOptions extends Pick<BodyOptions, 'limit' | 'depth' | 'keys'> {
  /** What is taken: `application/json-patch+json`, `application/merge-patch+json`. @default ['json-patch', 'merge-patch'] */
  types?: readonly PatchType[]
  /** Operations of a JSON Patch, else 422. @default 1000 */
  operations?: number
}

/** What a request wants done to a value, whatever that will be. */
export type Change = (current: unknown) => unknown

/** What reads the patches of a route, made once. */
export interface ChangeReader extends Pick<BodyReader, 'media' | 'note'> {
  read(ctx: BaseContext): Promise<Change>
}

const KINDS: Record<PatchType, BodyKind> = {
  'json-patch': kind('application/json-patch+json'),
  'merge-patch': kind('application/merge-patch+json'),
}
export const TYPES = Object.keys(KINDS) as PatchType[]

/** Nothing but its own media type: what a patch means is what that says (RFC 5789 section 2, erratum 3169). */
function kind(media: string): BodyKind {
  return { media, fits: type => type === media, parse: parseJson }
}

export function changeReader(options: ChangeOptions): ChangeReader {
  const { types = TYPES, operations = 1000, depth = 64, keys = 10_000, limit } = options
  const limits = { depth, keys, ...(limit && { limit }) }
  const reader = readerOf(new Map(types.map(type => [type, KINDS[type]])), limits, 'Accept-Patch')

  async function read(ctx: BaseContext): Promise<Change> {
    const { value, type } = await bodyOf(ctx)
    if (type === 'merge-patch') return current => checked(applyMergePatch(current, value))
    const list = readOperations(value, operations)
    const copied = limit ?? ctx.app.settings.limits.body
    return current => checked(applyJsonPatch(current, list, { depth, copied }))
  }

  /** A body that a Koa middleware has read is taken as it is. Some leave {} for one of a type that they do not know. */
  async function bodyOf(ctx: BaseContext): Promise<{ value: unknown; type: PatchType | undefined }> {
    const { body: value } = ctx.request as { body?: unknown }
    if (value === undefined || !ctx.req.readableEnded) return reader.read(ctx)
    const type = reader.typeOf(ctx.req)
    const excess = excessOf(value, { depth, keys })
    if (excess) throw problem(400, { detail: `The JSON ${excess}.` })
    return { value, type }
  }

  /** A patch may put together what neither it nor the resource has: another level, or a name in a constructor. */
  function checked(patched: unknown): unknown {
    const excess = excessOf(patched, { depth, keys: Number.POSITIVE_INFINITY })
    if (excess) throw problem(422, { detail: `What the patch makes ${excess}.` })
    return patched
  }

  return { media: reader.media, note: reader.note, read }
}
