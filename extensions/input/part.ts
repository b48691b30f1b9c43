import type { BaseContext } from '../../src/index.ts'
import {
  converter,
  declaredNames,
  type JsonObject,
  listTaker,
  type PreparedSchema,
  prepareSchema,
  pruner,
  type Refs,
  readRefs,
  typesOf,
} from '../../src/schema/index.ts'
import { readQuery } from './query.ts'

export type Place = 'params' | 'query' | 'headers' | 'cookies' | 'body'

/** What OpenAPI and the errors call the places. */
export const IN = { params: 'path', query: 'query', headers: 'header', cookies: 'cookie', body: 'body' } as const

/** A part of a request with its schema, made ready once. */
export interface Part extends PreparedSchema {
  readonly place: Place
  /** The names that the schema declares; undefined where its library does not say. */
  readonly names: readonly string[] | undefined
  /** May text be all of it? May an object? */
  readonly takes: (type: 'string' | 'object') => boolean
  /** Text to declared types, and without what is not declared. Only that which is text of necessity is converted. */
  readonly refine: (value: unknown, isText: boolean) => unknown
  /** The part of a request as it came; a body is read elsewhere. */
  readonly read: (ctx: BaseContext) => unknown
}

type Values = Record<string, unknown>

export function preparePart(where: string, place: Place, schema: unknown, signed: boolean): Part {
  const prepared = prepareSchema(`${where} ${place}`, schema)
  const { input: json } = prepared.json
  const refs = json ? readRefs(`${where} ${place}`, json) : new Map()
  const types = json && typesOf(json, refs)
  const names = json && declaredNames(json, refs)
  if (place === 'cookies' && !names)
    throw new TypeError(`${where} cookies: the schema does not say which. Give schemas by name, { session: text() }.`)
  return {
    ...prepared,
    place,
    names,
    takes: type => !types || [...types].some(it => it === type || (type === 'string' && /^(word:|date$)/.test(it))),
    refine: json ? refiner(json, refs, place, prepared.strips) : value => value,
    read: readers(json, refs, names ?? [], signed)[place],
  }
}

function refiner(json: JsonObject, refs: Refs, place: Place, strips: boolean): Part['refine'] {
  const text = JSON.stringify(json)
  const convert = converter(json, refs, { text: true, trim: place === 'headers' })
  const dates = text.includes('"x-type":"Date"') ? converter(json, refs, { text: false }) : undefined
  // A library that leaves the undeclared out by itself does it faster.
  const prune = strips && !text.includes('"readOnly":true') ? undefined : pruner(json, refs, 'readOnly')
  return (value, isText) => {
    const typed = isText ? convert(value) : dates ? dates(value) : value
    return prune ? prune(typed) : typed
  }
}

function readers(
  json: JsonObject | undefined,
  refs: Refs,
  names: readonly string[],
  signed: boolean,
): Record<Place, Part['read']> {
  const mayRepeat = json ? listTaker(json, refs) : () => true
  return {
    params: ({ params }: BaseContext & { params?: unknown }) => params,
    query: ({ querystring }) => readQuery(querystring, mayRepeat),
    headers: ({ req }) => (json ? choose(names, name => req.headers[name.toLowerCase()]) : req.headers),
    cookies: ({ cookies }) => choose(names, name => cookies.get(name, { signed })),
    body: () => undefined,
  }
}

function choose(names: readonly string[], read: (name: string) => unknown): Values {
  const values: Values = Object.create(null)
  for (const name of names) {
    const value = read(name)
    if (value !== undefined) values[name] = value
  }
  return values
}
