import type { Note } from '../../src/index.ts'
import type { JsonObject } from '../../src/schema/index.ts'
import { IN, type Part } from './part.ts'
import type { Prepared } from './prepare.ts'

/** What a route takes, in the words of OpenAPI. */
export function noteOf({ params, others, body }: Prepared): Note {
  const content = body?.json.input
  const hasQuery = others.some(({ place }) => place === 'query')
  const malformed = [hasQuery && 'query', body && 'body'].filter(Boolean).join(' or the ')
  return {
    parameters: [...(params ? [params] : []), ...others].flatMap(parametersOf),
    ...(body && {
      requestBody: {
        ...body.reader.note.requestBody,
        content: Object.fromEntries(body.reader.media.map(it => [it, content ? { schema: content } : {}])),
      },
    }),
    responses: {
      ...(params && { 404: { description: 'Nothing is at this path' } }),
      ...body?.reader.note.responses,
      ...(malformed && { 400: { description: `The ${malformed} is malformed` } }),
      ...((others.length > 0 || body) && { 422: { description: 'Something in the request does not fit' } }),
    },
  }
}

/** A part in the words of OpenAPI. */
function parametersOf({ place, names = [], json }: Part): NonNullable<Note['parameters']> {
  const { properties = {}, required = [], $defs } = (json.input ?? {}) as Record<string, JsonObject | undefined>
  return names.map(name => {
    const schema = properties[name] as JsonObject | undefined
    const isRequired = place === 'params' || (required as unknown as string[]).includes(name)
    // A reference begins at the root, which the schema of the one parameter now is.
    const whole = $defs && JSON.stringify(schema ?? {}).includes('"$ref"') ? { ...schema, $defs } : schema
    return { name, in: IN[place as 'query'], required: isRequired, ...(whole && { schema: whole }) }
  })
}
