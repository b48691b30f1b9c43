import type { JsonSchema } from '../route.ts'
import { isObject, type JsonObject } from './json-schema.ts'

/** Where the references in a schema lead, by the object that has the reference. */
export type Refs = ReadonlyMap<object, JsonSchema>

/** Keywords of which the value is an object of schemas by any name, and those of which it is data. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
const DATA = new Set(['enum', 'const', 'default', 'examples', 'example'])
const BASE = 'kolba:///'
/**
 * Follows all references of a schema: by pointer, anchor, and `$id`.
 *
 * @param others schemas that it may refer to by their `$id`
 * @throws TypeError for a reference that leads nowhere
 */
export function readRefs(where: string, root: JsonSchema, others: readonly JsonObject[] = []): Refs {
  const places = new Map<string, JsonSchema>([[BASE, root]])
  const wanted: [schema: object, uri: string, written: string][] = []
  const seen = new Set<object>()

  function visit(node: unknown, base: string, isMap = false): void {
    if (!isObject(node) || seen.has(node)) return
    seen.add(node)
    const { $id, $anchor, $dynamicAnchor, $ref = node.$dynamicRef } = isMap ? ({} as JsonObject) : node
    const here = typeof $id === 'string' ? resolve($id, base).replace(/#$/, '') : base
    if (typeof $id === 'string') places.set(here, node)
    for (const anchor of [$anchor, $dynamicAnchor])
      if (typeof anchor === 'string') places.set(`${here}#${anchor}`, node)
    if (typeof $ref === 'string') wanted.push([node, resolve($ref, here), $ref])
    for (const [name, child] of Object.entries(node))
      if (isMap || !DATA.has(name)) visit(child, here, !isMap && MAPS.has(name))
  }

  visit(root, BASE)
  for (const other of others) visit(other, BASE)
  return new Map(
    wanted.map(([schema, uri, written]) => {
      const target = lookUp(places, uri)
      if (target === undefined)
        throw new TypeError(`${where}: the reference ${written} leads nowhere. Put what it stands for into $defs.`)
      return [schema, target]
    }),
  )
}

/** What cannot be resolved, as a relative reference within a URN, is a name of its own. */
function resolve(reference: string, base: string): string {
  return URL.canParse(reference, base) ? new URL(reference, base).href : reference
}

function lookUp(places: ReadonlyMap<string, JsonSchema>, uri: string): JsonSchema | undefined {
  // The schema of schemas takes any schema.
  if (uri.startsWith('https://json-schema.org/draft/')) return true
  const [document = '', fragment = ''] = uri.split('#')
  if (fragment === '') return places.get(document)
  if (!fragment.startsWith('/')) return places.get(uri)
  return decodeURIComponent(fragment)
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (node, step) => (isObject(node) && Object.hasOwn(node, step) ? node[step] : undefined),
      places.get(document),
    ) as JsonSchema | undefined
}
