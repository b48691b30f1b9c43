import { isDecorator, kinds, readMediaType } from '../../src/index.ts'
import { csv } from './csv.ts'
import { jsonRendering } from './json.ts'
import type { Rendering } from './rendering.ts'
import { yaml } from './yaml.ts'

/** One of the ways in which a route can say its value. */
export interface Representation {
  /** As it was given: `text/csv`. */
  readonly type: string
  /** As it is sent: `text/csv; charset=utf-8; header=present`. */
  readonly contentType: string
  /** In a URL: `csv`. */
  readonly short: string
  readonly render: Rendering<never>
}

const SHORT: Readonly<Record<string, string>> = { 'text/plain': 'txt', 'text/tab-separated-values': 'tsv' }

/**
 * Reads the renderings that `produces()` is given.
 *
 * @throws TypeError for none, for a key that is no media type, and for a rendering that is none
 */
export function readRepresentations(renderings: object): readonly Representation[] {
  const entries = kinds.object.test(renderings) ? Object.entries(renderings) : []
  if (entries.length === 0)
    throw new TypeError("produces: there are no renderings. Give { 'application/json': true } or the like.")
  return entries.map(([key, rendering]) => readOne(key, rendering))
}

function readOne(key: string, rendering: unknown): Representation {
  const media = readMediaType(key)
  if (!media || key.includes('*') || media.parameters.has('q'))
    throw new TypeError(
      `produces: ${JSON.stringify(key)} is no media type. Write one like text/csv, whole and without q.`,
    )
  const { type, parameters } = media
  const isJson = /^application\/(?:.+\+)?json$/.test(type)
  if (rendering === true && !isJson)
    throw new TypeError(`produces: true renders JSON, and ${key} is another type. Give a function (value, ctx).`)
  if (rendering === csv || rendering === yaml)
    throw new TypeError(`produces: the rendering of ${key} is not called. Write ${(rendering as () => void).name}().`)
  if (isDecorator(rendering))
    throw new TypeError(
      `produces: the rendering of ${key} is the decorator ${rendering.name}(). Give true for JSON, or a function (value, ctx).`,
    )
  if (rendering !== true && typeof rendering !== 'function')
    throw new TypeError(`produces: the rendering of ${key} is none. Give a function (value, ctx), or true for JSON.`)
  const render = rendering === true ? jsonRendering : (rendering as Rendering<never>)
  const isText = type.startsWith('text/') || type === 'application/json'
  const charset = isText && !parameters.has('charset') ? ['charset=utf-8'] : []
  const contentType = [key, ...charset, ...(render.parameters ? [render.parameters] : [])].join('; ')
  return { type: key, contentType, short: SHORT[type] ?? shortOf(type), render }
}

/** The last part of a subtype: `json` of `application/vnd.api+json`. */
function shortOf(type: string): string {
  return type.split(/[^a-z\d]+/).at(-1) as string
}

/** @throws TypeError where a name in a URL would mean two representations */
export function checkShorts(representations: readonly Representation[]): void {
  representations.forEach(({ type, short }, index) => {
    const rival = representations.slice(0, index).find(it => it.short === short)
    if (rival)
      throw new TypeError(
        `produces: ${rival.type} and ${type} are both ${short} in a URL. Leave one out, or both format and suffix.`,
      )
  })
}
