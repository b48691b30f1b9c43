import { createRequire } from 'node:module'
import type { Document, ToStringOptions, visit } from 'yaml'
import { isFlowing, type Rendering, rendered, toJson } from './rendering.ts'

// Half of the readers in use follow YAML 1.1, where `no` is false and `12:30` a number: such text is quoted.
const COMPAT = { compat: 'yaml-1.1' } as const
const OPTIONS: ToStringOptions = { lineWidth: 0 }

/**
 * What no YAML has but escaped, and what ends a line in 1.1: behind it the text of a client might add members. Of the
 * rest, 1.1 reads a bare `=` as a type of its own, and few readers take a tab in bare text.
 */
const ODD = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g
const QUOTED = new RegExp(`${ODD.source}|\\t|^\\s|^=$`)

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
    visit(document, {
      Scalar(_key, node) {
        if (typeof node.value === 'string' && QUOTED.test(node.value)) node.type = 'QUOTE_DOUBLE'
      },
    })
    // All of them stand in double quotes by now.
    return document.toString(OPTIONS).replace(ODD, it => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`)
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
