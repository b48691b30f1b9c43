import { createRequire } from 'node:module'
import type { Document, ToStringOptions, visit } from 'yaml'
import { isFlowing, type Rendering, rendered, toJson } from './rendering.ts'

// Half of the readers in use follow YAML 1.1, where `no` is false and `12:30` a number: such text is quoted.
const COMPAT = { compat: 'yaml-1.1' } as const
const OPTIONS: ToStringOptions = { lineWidth: 0 }

/** To readers of YAML 1.1 these are line breaks, behind which a client's text might add members; `=` is a type of its own. */
const BREAK = /[\x85\u2028\u2029\ufeff]/
const ESCAPED: Readonly<Record<string, string>> = {
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
  '\ufeff': '\\uFEFF',
}

/**
 * Renders YAML 1.2 (`application/yaml`, RFC 9512) that YAML 1.1 reads alike. A value is made JSON first, so both say the
 * same: a Date is text, `toJSON` is asked. An async iterable is written item by item, as a list.
 *
 * @throws TypeError where the package yaml is not installed
 * @example produces({ 'application/json': true, 'application/yaml': yaml() })
 */
export function yaml(): Rendering {
  const { Document, visit } = load()
  const write = (value: unknown) => {
    const text = toJson(value)
    if (text === undefined) return undefined
    const document = new Document(JSON.parse(text), COMPAT)
    if (!BREAK.test(text) && !text.includes('"="')) return document.toString(OPTIONS)
    visit(document, {
      Scalar(_key, node) {
        if (typeof node.value === 'string' && (node.value === '=' || BREAK.test(node.value))) node.type = 'QUOTE_DOUBLE'
      },
    })
    // All that are left stand in double quotes by now.
    return document.toString(OPTIONS).replace(new RegExp(BREAK, 'g'), it => ESCAPED[it] as string)
  }
  return (value, ctx) => (isFlowing(value) ? list(value, write) : rendered(ctx, 'yaml()', () => write(value)))
}

async function* list(
  items: AsyncIterable<unknown>,
  write: (value: unknown) => string | undefined,
): AsyncGenerator<string> {
  let isEmpty = true
  for await (const item of items) {
    isEmpty = false
    // Lists of one, written one below the other, are one list.
    yield write([item]) as string
  }
  if (isEmpty) yield '[]\n'
}

function load(): { Document: typeof Document; visit: typeof visit } {
  const require = createRequire(import.meta.url)
  try {
    return require('yaml')
  } catch (error) {
    throw new TypeError('yaml: it is written by the package yaml. Run npm install yaml.', { cause: error })
  }
}
