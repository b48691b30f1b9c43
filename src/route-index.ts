import type Router from '@koa/router'
import { Bare } from './bare.ts'
import { ByText } from './by-text.ts'
import { decode } from './guard.ts'
import { endOf, type Form, formIn, hasLastSlash, hasSegments, look, scan, textsOf } from './path-forms.ts'
import { type Segment, waysOf } from './segments.ts'

// @koa/router tries its layers one after another. This finds the few that can fit a path, and asks no other. What a layer
// fits remains @koa/router's to say: texts and whole parameters fit segment by segment, so they are looked up; of whatever
// else there is (wildcards, a parameter that is a part of a segment) it knows only how it begins, and asks the layer's own
// regular expression. So it holds for a router that is sensitive, and not strict.
//
// The texts of a path lead to its entry, all at once: with a thousand routes it is memory that takes time, and a step for
// each segment would read more of it.

export type Layer = ReturnType<Router['match']>['path'][number]

/** A layer in its place, and what it is found for. One whose path has optional groups is in several places. */
export interface Entry<T> {
  readonly layer: Layer
  readonly value: T
  /** The layer registered first wins, and in a layer the way that path-to-regexp tries first. */
  readonly order: number
  /** Which of the segments are parameters. */
  readonly slots: readonly Slot[]
  /** What the regular expression has caught, where it was asked. */
  readonly captures: RegExpExecArray | undefined
  /** The next that has its form and its texts. */
  next: Found<T>
}
type Found<T> = Entry<T> | undefined

interface Slot {
  readonly name: string
  readonly index: number
}

/** What a method has: the first entry for each path without parameters, and for each form and its texts. */
interface OfMethod<T> {
  readonly known: ByText<Entry<T>>
  /** Lists of them, by the number of their segments. */
  readonly forms: Form<Entry<T>>[][]
}

const NONE: readonly never[] = []

/** Finds layers by method and path, in a time that depends on the number of forms, and hardly on that of layers. */
export class RouteIndex<T> {
  readonly #methods = new Map<string, OfMethod<T>>()
  /** For all methods, those whose paths are segments all through, and those whose rest is open. */
  readonly #whole: Form<Entry<T>>[] = []
  readonly #open: Form<Entry<T>>[] = []
  /** Lists of the same parameters are one, so that it is at hand. */
  readonly #slots = new Map<string, readonly Slot[]>()
  readonly #slashes: number[] = []
  #longest = 0
  #count = 0

  /** @param value what the layer stands for */
  add(layer: Layer, value: T): void {
    for (const { segments, isWhole } of waysOf(layer.path)) {
      const slots = this.#slotsOf(segments)
      const entry = { layer, value, order: this.#count, slots, captures: undefined, next: undefined }
      this.#count += 1
      this.#longest = Math.max(this.#longest, segments.length)
      append(formIn(isWhole ? this.#whole : this.#open, segments), segments, entry)
      if (isWhole) for (const method of layer.methods) this.#addTo(method, segments, entry)
    }
  }

  /** What was registered first of all that fits a method and a path. */
  first(method: string, path: string): Found<T> {
    const its = this.#methods.get(method)
    const found = its?.known.get(path) ?? this.#search(its, method, path)
    if (found) return found
    // @koa/router takes small letters, too.
    const capitals = method.toUpperCase()
    return capitals === method ? undefined : this.first(capitals, path)
  }

  /** All layers that fit a path, whatever their methods, in the order of their registration. */
  all(path: string): Layer[] {
    const entries: Entry<T>[] = []
    const count = scan(path, this.#slashes, this.#longest + 2)
    const least = hasLastSlash(count, this.#slashes) ? count - 1 : count
    for (const form of hasSegments(path) ? this.#whole : []) {
      if (form.length === count || form.length === least) entries.push(...chain(look(form, path, this.#slashes)))
    }
    for (const form of this.#open) {
      if (form.length > count) continue
      entries.push(...chain(look(form, path, this.#slashes)).filter(({ layer }) => layer.regexp.test(path)))
    }
    const layers = entries.sort((one, other) => one.order - other.order).map(({ layer }) => layer)
    return layers.filter((layer, index) => layer !== layers[index - 1])
  }

  #slotsOf(segments: readonly Segment[]): readonly Slot[] {
    const slots = segments.flatMap((segment, index) =>
      typeof segment === 'string' ? [] : { name: asKey(segment.name), index },
    )
    const key = JSON.stringify(slots)
    if (!this.#slots.has(key)) this.#slots.set(key, slots)
    return this.#slots.get(key) as readonly Slot[]
  }

  #addTo(method: string, segments: readonly Segment[], entry: Entry<T>): void {
    const its = this.#methods.get(method) ?? { known: new ByText(), forms: [] }
    this.#methods.set(method, its)
    const forms = its.forms[segments.length] ?? []
    its.forms[segments.length] = forms
    const { byTexts } = formIn(forms, segments)
    const texts = textsOf(segments)
    if (!byTexts.has(texts)) byTexts.add(texts, entry)
    if (entry.slots.length > 0 || its.known.has(texts)) return
    // What is added later comes after what is there, so the first of now is that of ever.
    its.known.add(texts, this.#search(its, method, texts) ?? entry)
  }

  /** @param its what the method has: of paths without parameters those alone are looked for that lack the last slash */
  #search(its: OfMethod<T> | undefined, method: string, path: string): Found<T> {
    const slashes = this.#slashes
    const count = scan(path, slashes, this.#longest + 2)
    let best: Found<T>
    if (its && hasSegments(path)) {
      for (const form of its.forms[count] ?? NONE)
        if (form.parameters.length > 0) best = earlier(look(form, path, slashes), best)
      if (hasLastSlash(count, slashes))
        for (const form of its.forms[count - 1] ?? NONE) best = earlier(look(form, path, slashes), best)
    }
    for (const form of this.#open) {
      if (form.length <= count) best = ask(look(form, path, slashes), method, path, best)
    }
    return best
  }
}

/** The same text as V8 keeps the names of properties: one that is cut out of a path it would look for each time. */
function asKey(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string
}

function append<T>({ byTexts }: Form<Entry<T>>, segments: readonly Segment[], entry: Entry<T>): void {
  const texts = textsOf(segments)
  const last = chain(byTexts.get(texts)).at(-1)
  if (last) last.next = entry
  else byTexts.add(texts, entry)
}

function chain<T>(first: Found<T>): Entry<T>[] {
  const entries: Entry<T>[] = []
  for (let entry = first; entry; entry = entry.next) entries.push(entry)
  return entries
}

function earlier<T>(one: Found<T>, other: Found<T>): Found<T> {
  return one && (!other || one.order < other.order) ? one : other
}

/** Asks the regular expressions of those before the best so far. */
function ask<T>(first: Found<T>, method: string, path: string, best: Found<T>): Found<T> {
  for (let entry = first; entry; entry = entry.next) {
    if (best && best.order < entry.order) return best
    const captures = entry.layer.methods.includes(method) && entry.layer.regexp.exec(path)
    if (captures) return { ...entry, captures }
  }
  return best
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
