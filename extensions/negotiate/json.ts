import { isFlowing, type Rendering, rendered, toJson } from './rendering.ts'

/** What `true` stands for: JSON as `JSON.stringify` has it, and a list of what comes one by one. */
export const jsonRendering: Rendering = (value, ctx) =>
  isFlowing(value) ? list(value) : rendered(ctx, 'produces()', () => toJson(value))

async function* list(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let before = '['
  // The first item before the bracket: what fails there is still a 500.
  for await (const item of items) {
    yield before + (toJson(item) ?? 'null')
    before = ','
  }
  yield before === '[' ? '[]' : ']'
}
