import { type Decorator, decorator, type Note } from '../../src/index.ts'
import { preferredLanguage } from './accept.ts'

/**
 * Chooses the language of the answer by `Accept-Language` (RFC 9110 section 12.5.4), as `ctx.language`, by which `etag()`
 * tells the languages apart, and says so in `Content-Language` and `Vary`. `en` fits a client that wants `en-US`, and the
 * other way round. Where nothing fits it is the first: text in a language that somebody did not ask for is more use than a
 * 406.
 *
 * A handler that answers in another language sets its own Content-Language. Errors have none.
 *
 * @throws TypeError for no tags, for what is no language tag (BCP 47, RFC 5646), and for one that is there twice
 * @example app.get('/hello', languages('en', 'de'), ctx => greetings[ctx.language])
 */
export function languages<const L extends readonly [string, ...string[]]>(
  ...tags: L
): Decorator<{ language: L[number] }> {
  if (tags.length === 0) throw new TypeError("languages: there are none. Give language tags, languages('en', 'de').")
  const odd = tags.find(tag => !isTag(tag))
  if (odd !== undefined)
    throw new TypeError(`languages: ${JSON.stringify(odd)} is no language tag. Write one like en or en-GB.`)
  const twice = tags.find((tag, index) => tags.findIndex(it => it.toLowerCase() === tag.toLowerCase()) < index)
  if (twice !== undefined) throw new TypeError(`languages: ${twice} is there twice. Leave one of them out.`)

  const note: Note = {
    headers: {
      'Content-Language': { description: 'The language of the answer', schema: { type: 'string', enum: [...tags] } },
    },
    parameters: [{ name: 'Accept-Language', in: 'header', description: `Languages: ${tags.join(', ')}` }],
  }
  return decorator<{ language: L[number] }>(
    'languages',
    (ctx, next) => {
      const language = preferredLanguage(ctx.req.headers['accept-language'], tags) ?? tags[0]
      ctx.vary('Accept-Language')
      ctx.set('Content-Language', language)
      return next({ language })
    },
    { note },
  )
}

function isTag(tag: unknown): boolean {
  try {
    return typeof tag === 'string' && Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}
