import { type BodyOptions, type BodyReader, type BodyType, bodyReader } from '../../src/body/body.ts'
import type { AnySchema } from '../../src/schema/index.ts'
import { type Part, type Place, preparePart } from './part.ts'

type Options = Omit<BodyOptions, 'optional'> & { readonly signed?: boolean }
type Schemas = { readonly [P in Place]?: AnySchema }

/** What a route takes, made ready once. */
export interface Prepared {
  readonly params: Part | undefined
  /** The query, headers and cookies. */
  readonly others: readonly Part[]
  readonly body: BodyPart | undefined
  /** These and the body. */
  readonly all: readonly Part[]
}

export interface BodyPart extends Part {
  readonly reader: BodyReader
}

export const PLACES: readonly Place[] = ['params', 'query', 'headers', 'cookies', 'body']

/** @throws TypeError for what is no schema */
export function prepare(where: string, schemas: Schemas, { signed = false, ...options }: Options): Prepared {
  const parts = PLACES.flatMap(place =>
    schemas[place] === undefined ? [] : preparePart(where, place, schemas[place], signed),
  )
  const others = parts.filter(({ place }) => place !== 'params' && place !== 'body')
  const body = toBody(
    where,
    parts.find(({ place }) => place === 'body'),
    options,
  )
  return {
    params: parts.find(({ place }) => place === 'params'),
    others,
    body,
    all: body ? [...others, body] : others,
  }
}

function toBody(where: string, part: Part | undefined, options: BodyOptions): BodyPart | undefined {
  if (!part) return
  const types = options.types ?? typesOf(part)
  return { ...part, reader: bodyReader(where, { ...options, types, optional: part.isOptional }) }
}

function typesOf({ takes }: Part): BodyType[] {
  return ['json', ...(takes('object') ? ['form' as const] : []), ...(takes('string') ? ['text' as const] : [])]
}
