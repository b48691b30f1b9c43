import type { BaseContext } from '../../src/index.ts'
import { preferredCoding } from './accept.ts'

/**
 * The content coding to answer in (RFC 9110 section 12.5.3), of those that there are: for files that lie there in
 * several codings, compressed once and not for each request. Given ctx, it adds `Vary: Accept-Encoding`.
 *
 * `identity` stands for the file as it is; a client that names no codings gets it, where it is there. The first of equal
 * qualities is taken, so the smallest stands first.
 *
 * @returns undefined where the client refuses all of them, `identity` included: answer 406, or as it is all the same
 * @example
 * const FILES = { br: 'app.js.br', gzip: 'app.js.gz', identity: 'app.js' }
 * app.get('/app.js', ctx => {
 *   const coding = preferredEncoding(ctx, ['br', 'gzip', 'identity']) ?? 'identity'
 *   const headers = { 'Content-Type': 'text/javascript', ...(coding !== 'identity' && { 'Content-Encoding': coding }) }
 *   return reply(200, createReadStream(FILES[coding]), headers)
 * })
 */
export function preferredEncoding<const E extends string>(
  from: BaseContext | string | undefined,
  available: readonly E[],
): E | undefined {
  const isHeader = from === undefined || typeof from === 'string'
  if (!isHeader) from.vary('Accept-Encoding')
  return preferredCoding(isHeader ? from : from.req.headers['accept-encoding'], available) as E | undefined
}
