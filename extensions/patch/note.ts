import type { JsonObject, Note } from '../../src/index.ts'
import type { ChangeReader } from './change.ts'

const POINTER = { type: 'string', description: 'A JSON pointer, RFC 6901' }

function operation(op: string[], member?: string, schema: object | true = POINTER): JsonObject {
  return {
    type: 'object',
    properties: { op: { enum: op }, path: POINTER, ...(member && { [member]: schema }) },
    required: ['op', 'path', ...(member ? [member] : [])],
  } as JsonObject
}

/** The JSON Schema of a JSON Patch document, RFC 6902. */
const JSON_PATCH = {
  type: 'array',
  items: {
    oneOf: [
      operation(['add', 'replace', 'test'], 'value', true),
      operation(['move', 'copy'], 'from'),
      operation(['remove']),
    ],
  },
}

const SCHEMAS: Record<string, JsonObject> = { 'application/json-patch+json': JSON_PATCH }

/** What a patched route takes and answers, in the words of OpenAPI. */
export function noteOf({ media, note: { requestBody, responses } }: Pick<ChangeReader, 'media' | 'note'>): Note {
  const content = media.map(it => [it, SCHEMAS[it] ? { schema: SCHEMAS[it] } : {}])
  const accepted = { description: 'The media types that are taken', schema: { const: media.join(', ') } }
  return {
    requestBody: { ...requestBody, content: Object.fromEntries(content) },
    responses: {
      ...responses,
      404: { description: 'There is nothing to patch' },
      409: { description: 'A test of the patch fails' },
      415: { description: 'The patch is of another media type', headers: { 'Accept-Patch': accepted } },
      422: { description: 'The patch cannot be applied, or what it makes does not fit' },
    },
  }
}
