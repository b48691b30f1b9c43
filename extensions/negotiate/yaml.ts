import { createRequire } from 'node:module'
import type { stringify, ToStringOptions } from 'yaml'
import { isFlowing, type Rendering, rendered, toJson } from './rendering.ts'

// Half of the readers in use follow YAML 1.1, where `no` is false and `12:30` a number: such text is quoted.
const OPTIONS: ToStringOptions & { compat: 'yaml-1.1' } = { compat: 'yaml-1.1', lineWidth: 0 }

/**
 * Renders YAML 1.2 (`application/yaml`, RFC 9512) that YAML 1.1 reads alike. A value is made JSON first, so both say the
 * same: a Date is text, `toJSON` is asked. An async iterable is written item by item, as a list.
 *
 * @throws TypeError where the package yaml is not installed
 * @example produces({ 'application/json': true, 'application/yaml': yaml() })
 */
export function yaml(): Rendering {
  const stringify = load()
  const write = (value: unknown) => {
    const text = toJson(value)
    return text === undefined ? undefined : stringify(JSON.parse(text), OPTIONS)
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

function load(): typeof stringify {
  const require = createRequire(import.meta.url)
  try {
    return require('yaml').stringify
  } catch (error) {
    throw new TypeError('yaml: it is written by the package yaml. Run npm install yaml.', { cause: error })
  }
}
