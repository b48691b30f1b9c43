import type { JsonSchema, Note } from '../../src/index.ts'

const RESULT = {
  type: 'object',
  properties: {
    status: { type: 'integer' },
    location: { type: 'string' },
    body: {},
    problem: { type: 'object' },
  },
  required: ['status'],
}

/** What `bulk()` does to the interface. */
export function noteOf(ofBody: Note, item: JsonSchema | undefined, max: number, atomic: boolean): Note {
  const list: JsonSchema = { type: 'array', maxItems: max, ...(item !== undefined && { items: item }) }
  const content = { 'application/json': { schema: { type: 'array', items: RESULT } } }
  return {
    requestBody: { required: true, content: { 'application/json': { schema: list } } },
    responses: {
      ...ofBody.responses,
      200: { description: 'What became of each item, all of them 200', content },
      207: { description: 'What became of each item', content },
      413: { description: 'The body is too large, or has too many items' },
      ...(atomic && item !== undefined && { 422: { description: 'Something in the items does not fit' } }),
    },
  }
}
