import { type Decorator, type Note, nameOf, type Route } from '../../src/index.ts'
import type { PlanOptions } from './options.ts'
import type { Part } from './query.ts'
import type { Resource } from './resource.ts'

/** What one decorator of a collection brings to the route that it stands on. */
export interface Member {
  /** As errors name it. */
  readonly name: string
  readonly parts: readonly Part[]
  readonly resource?: Resource | undefined
  readonly options: PlanOptions
}

/** What all of them on a route come to. */
export interface Whole {
  /** As errors name it: `GET /books: collection`. */
  readonly where: string
  readonly resource: Resource
  readonly parts: ReadonlySet<Part>
  readonly options: PlanOptions
}

const member: unique symbol = Symbol('kolba.collection') as never

type Collecting = Decorator & { [member]?: Member }

export function collecting<D extends object>(decorator: D, its: Member): D {
  return Object.assign(decorator, { [member]: its })
}

/** The innermost of a route's parts does the work of all: what stands among them sees rows, as what stands above does. */
export function isWorker(self: Decorator, { decorators }: Route): boolean {
  const last = decorators.findLast(isCollecting)
  // One that was chosen among others by its handler is not in the route's stack.
  return last === self || !decorators.includes(self)
}

/**
 * Puts the parts of a route together.
 *
 * @throws TypeError for a method that reads nothing, parts that are there twice, resources and options that differ
 */
export function wholeOf(self: Decorator, route: Route): Whole {
  const where = nameOf(route)
  const members = route.decorators.includes(self) ? route.decorators.filter(isCollecting) : [self]
  const all = members.map(it => (it as Collecting)[member] as Member)
  checkMethods(where, route, all)
  checkBelow(where, self, route)
  return join(where, all)
}

/** A part that stands on no route, as in a composition that is called by hand. */
export function aloneOf(its: Member): Whole {
  return join('', [its])
}

const READING = new Set(['GET', 'HEAD', 'QUERY'])

function checkMethods(where: string, { methods }: Route, [first]: readonly Member[]): void {
  if (methods.every(method => READING.has(method))) return
  throw new TypeError(`${where}: ${first?.name}() reads. Put it on GET, HEAD or QUERY.`)
}

/** What would find no rows any more, or would add to them what nobody has declared. */
const ABOVE: ReadonlyMap<string, string> = new Map([
  ['json', 'which makes text. Put it below.'],
  ['produces', 'which makes text. Put it below.'],
  ['links', 'whose links would be left out with what is not declared. Put it below.'],
])

function checkBelow(where: string, self: Decorator, { decorators }: Route): void {
  const below = decorators.slice(decorators.indexOf(self) + 1).find(({ name }) => ABOVE.has(name))
  if (!decorators.includes(self) || !below) return
  throw new TypeError(`${where}: ${self.name}() stands above ${below.name}(), ${ABOVE.get(below.name)}`)
}

function join(where: string, all: readonly Member[]): Whole {
  const parts = all.flatMap(it => it.parts.map(part => ({ part, name: it.name })))
  const second = parts.find(({ part }, index) => parts.findIndex(it => it.part === part) < index)
  if (second) {
    const first = parts.find(({ part }) => part === second.part)
    const what = first?.name === second.name ? `${second.name}() twice` : `both ${first?.name}() and ${second.name}()`
    throw new TypeError(`${where}: there is ${what}. Leave one of them out.`)
  }
  const label = where === '' ? (all[0] as Member).name : `${where}: ${(all[0] as Member).name}`
  const resources = new Set(all.flatMap(({ resource }) => resource ?? []))
  const [resource] = resources
  const names = all.map(({ name }) => `${name}()`).join(' and ')
  if (!resource) throw new TypeError(`${where}: ${names} has no resource. Write ${all[0]?.name}(resource, options).`)
  if (resources.size > 1)
    throw new TypeError(`${where}: ${names} have different resources. Give them the same, as a value.`)
  return { where: label, resource, parts: new Set(parts.map(({ part }) => part)), options: merged(where, all) }
}

function merged(where: string, all: readonly Member[]): PlanOptions {
  const options: Record<string, unknown> = {}
  for (const { name, options: its } of all) {
    for (const [key, value] of Object.entries(its)) {
      if (value === undefined) continue
      if (key in options && options[key] !== value)
        throw new TypeError(`${where}: ${name}() has another ${key} than a part above it. Say it once.`)
      options[key] = value
    }
  }
  return options
}

/** Is it what `resource()` gives? */
export function isResource(value: unknown): value is Resource {
  const { fields, relations, key } = Object(value) as Partial<Resource>
  return fields instanceof Map && relations instanceof Map && key !== undefined
}

function isCollecting(it: Decorator): boolean {
  return member in it
}

/** The query parameters that other decorators of the route have declared, which are theirs to read. */
export function foreignOf({ notes }: Route): ReadonlySet<string> {
  const others = notes.filter(note => !(ours in note))
  const all = others.flatMap(({ parameters = [] }) => parameters.filter(it => it.in === 'query'))
  return new Set(all.map(({ name }) => name))
}

const ours = Symbol('kolba.collection.note')

/** Marks a note, so that what a collection declares is not foreign to it. */
export function markNote(note: Note): Note {
  return Object.defineProperty(note, ours, { value: true })
}
