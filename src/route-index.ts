import type Router from '@koa/router'
import { Bare } from './bare.ts'
import { decode } from './guard.ts'
import { type Segment, waysOf } from './segments.ts'

// @koa/router tries its layers one after another. This finds the few that can fit a path by the path's segments, and
// asks no other. What a layer fits remains @koa/router's to say: texts and whole parameters fit segment by segment, so
// the tree knows; of whatever else there is (wildcards, a parameter that is a part of a segment) it knows only how it
// begins, and asks the layer's own regular expression. So it holds for a router that is sensitive, and not strict.

export type Layer = ReturnType<Router['match']>['path'][number]

/** A layer in its place, and what it is found for. One whose path has optional groups is in several places. */
export interface Entry<T> {
  readonly layer: Layer
  readonly value: T
  /** The layer registered first wins, and in a layer the way that path-to-regexp tries first. */
  readonly order: number
  /** Which of the segments are parameters. */
  readonly slots: readonly { readonly name: string; readonly index: number }[]
  /** What the regular expression has caught, where it was asked. */
  readonly captures: RegExpExecArray | undefined
}
type Found<T> = Entry<T> | undefined

/** Where a beginning of a path leads. */
class Branch<T> {
  readonly texts = new Map<string, Branch<T>>()
  parameter: Branch<T> | undefined
  /** What ends here, and the first of it for each method. */
  readonly ends: Entry<T>[] = []
  readonly byMethod = new Map<string, Entry<T>>()
  /** What goes on from here in a way that only its regular expression knows. */
  readonly open: Entry<T>[] = []
}

/** Finds layers by method and path, in a time that hardly depends on their number. */
export class RouteIndex<T> {
  readonly #root = new Branch<T>()
  /** What was found for paths without parameters, by method. What is added later comes after it, so it may stay. */
  readonly #known = new Map<string, Map<string, Entry<T>>>()
  #count = 0

  /** @param value what the layer stands for */
  add(layer: Layer, value: T): void {
    for (const { segments, isWhole } of waysOf(layer.path)) {
      const slots = segments.flatMap((segment, index) => (typeof segment === 'string' ? [] : { ...segment, index }))
      const entry = { layer, value, order: this.#count, slots, captures: undefined }
      const branch = segments.reduce(step, this.#root)
      this.#count += 1
      if (isWhole) end(branch, entry)
      else branch.open.push(entry)
      if (isWhole && slots.length === 0) this.#known.set(`/${segments.join('/')}`, new Map())
    }
  }

  /** What was registered first of all that fits a method and a path. */
  first(method: string, path: string): Found<T> {
    const known = this.#known.get(path)
    const before = known?.get(method)
    if (before) return before
    const found = this.#search(method, path)
    if (found) known?.set(method, found)
    return found
  }

  /** All layers that fit a path, whatever their methods, in the order of their registration. */
  all(path: string): Layer[] {
    const entries: Entry<T>[] = []
    if (hasSegments(path)) collect(this.#root, path, 0, entries)
    else entries.push(...fitting(this.#root.open, path))
    const layers = entries.sort((one, other) => one.order - other.order).map(({ layer }) => layer)
    return layers.filter((layer, index) => layer !== layers[index - 1])
  }

  #search(method: string, path: string): Found<T> {
    const found = hasSegments(path)
      ? search(this.#root, method, path, 0, undefined)
      : ask(this.#root.open, method, path, undefined)
    if (found) return found
    // @koa/router takes small letters, too.
    const capitals = method.toUpperCase()
    return capitals === method ? undefined : this.#search(capitals, path)
  }
}

/** `*`, which OPTIONS may ask for, has none. */
function hasSegments(path: string): boolean {
  return path === '' || path.startsWith('/')
}

function step<T>(branch: Branch<T>, segment: Segment): Branch<T> {
  if (typeof segment !== 'string') {
    branch.parameter ??= new Branch()
    return branch.parameter
  }
  const next = branch.texts.get(segment) ?? new Branch<T>()
  branch.texts.set(segment, next)
  return next
}

function end<T>(branch: Branch<T>, entry: Entry<T>): void {
  branch.ends.push(entry)
  for (const method of entry.layer.methods) if (!branch.byMethod.has(method)) branch.byMethod.set(method, entry)
}

/**
 * @param slash where the slash stands that the next segment follows; the length of the path where there is none
 * @param best what was found so far
 * @returns the first there is from this branch on, if it comes before that
 */
function search<T>(branch: Branch<T>, method: string, path: string, slash: number, best: Found<T>): Found<T> {
  let found = best
  if (slash < path.length) {
    const until = endOf(path, slash)
    const segment = path.slice(slash + 1, until)
    const next = branch.texts.get(segment)
    if (next) found = search(next, method, path, until, found)
    if (branch.parameter && segment !== '') found = search(branch.parameter, method, path, until, found)
  }
  if (isEnd(path, slash)) found = earlier(branch.byMethod.get(method), found)
  return branch.open.length > 0 ? ask(branch.open, method, path, found) : found
}

/** The same for all there is. */
function collect<T>(branch: Branch<T>, path: string, slash: number, entries: Entry<T>[]): void {
  if (isEnd(path, slash)) entries.push(...branch.ends)
  if (branch.open.length > 0) entries.push(...fitting(branch.open, path))
  if (slash === path.length) return
  const until = endOf(path, slash)
  const segment = path.slice(slash + 1, until)
  const next = branch.texts.get(segment)
  if (next) collect(next, path, until, entries)
  if (branch.parameter && segment !== '') collect(branch.parameter, path, until, entries)
}

/** Where the segment after a slash ends. */
function endOf(path: string, slash: number): number {
  const next = path.indexOf('/', slash + 1)
  return next < 0 ? path.length : next
}

/** A path may have one slash more than its route. */
function isEnd(path: string, slash: number): boolean {
  return slash >= path.length - 1
}

function earlier<T>(one: Found<T>, other: Found<T>): Found<T> {
  return one && (!other || one.order < other.order) ? one : other
}

/** Asks the regular expressions of those before the best so far. */
function ask<T>(entries: readonly Entry<T>[], method: string, path: string, best: Found<T>): Found<T> {
  for (const entry of entries) {
    if (best && best.order < entry.order) return best
    const captures = entry.layer.methods.includes(method) && entry.layer.regexp.exec(path)
    if (captures) return { ...entry, captures }
  }
  return best
}

function fitting<T>(entries: readonly Entry<T>[], path: string): Entry<T>[] {
  return entries.filter(({ layer }) => layer.regexp.test(path))
}

/**
 * Path parameters, decoded, in an object without a prototype.
 *
 * @throws the problem with their encoding: the guard has seen what the client sent, and not what a middleware made of it
 */
export function paramsOf({ layer, slots, captures }: Entry<unknown>, path: string): Record<string, string> {
  const params = new Bare()
  if (captures) {
    layer.paramNames.forEach(({ name }, index) => {
      const text = captures[index + 1]
      if (text !== undefined) params[name] = decode(text)
    })
    return params
  }
  let slash = 0
  let at = 0
  for (const { name, index } of slots) {
    for (; at < index; at += 1) slash = endOf(path, slash)
    const text = path.slice(slash + 1, endOf(path, slash))
    params[name] = text.includes('%') ? decode(text) : text
  }
  return params
}
