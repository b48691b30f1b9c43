import { type BodyOptions, type BodyReader, type BodyType, bodyReader } from '../../src/body/body.ts'
import type { AnySchema } from '../../src/schema/index.ts'
import { type Part, type Place, preparePart } from './part.ts'

type Options = Omit<BodyOptions, 'optional'> & { readonly signed?: boolean }
type Schemas = { readonly [P in Place]?: AnySchema }

/** What a route takes, made ready once. */
export interface Prepared {
  readonly params: Part | undefined
  /** All but the path's. */
  readonly rest: readonly Part[]
  readonly body: BodyReader | undefined
}

export const PLACES: readonly Place[] = ['params', 'query', 'headers', 'cookies', 'body']

/** @throws TypeError for what is no schema */
export function prepare(where: string, schemas: Schemas, { signed = false, ...options }: Options): Prepared {
  const parts = PLACES.flatMap(place =>
    schemas[place] === undefined ? [] : preparePart(where, place, schemas[place], signed),
  )
  const body = parts.find(({ place }) => place === 'body')
  const types = options.types ?? (body ? typesOf(body) : [])
  return {
    params: parts.find(({ place }) => place === 'params'),
    rest: parts.filter(({ place }) => place !== 'params'),
    body: body && bodyReader(where, { ...options, types, optional: body.isOptional }),
  }
}

function typesOf({ takes }: Part): BodyType[] {
  return ['json', ...(takes('object') ? ['form' as const] : []), ...(takes('string') ? ['text' as const] : [])]
}
