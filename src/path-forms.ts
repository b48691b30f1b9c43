import { ByText } from './by-text.ts'
import type { Segment } from './segments.ts'

// Paths with parameters in the same places have the same form. Of those that have a form, their texts tell them apart.

/** What has paths with as many segments, and parameters in the same places. */
export interface Form<T> {
  readonly length: number
  readonly parameters: readonly number[]
  /** The segments between parameters. */
  readonly runs: readonly { readonly from: number; readonly to: number }[]
  readonly byTexts: ByText<T>
}

/** The form of segments among others, of which it becomes one. */
export function formIn<T>(forms: Form<T>[], segments: readonly Segment[]): Form<T> {
  const { length } = segments
  const parameters = segments.flatMap((segment, index) => (typeof segment === 'string' ? [] : index))
  const before = forms.find(it => it.length === length && `${it.parameters}` === `${parameters}`)
  if (before) return before
  const between = [-1, ...parameters].map((index, nth) => ({ from: index + 1, to: parameters[nth] ?? length }))
  const form = { length, parameters, runs: between.filter(({ from, to }) => from < to), byTexts: new ByText<T>() }
  forms.push(form)
  return form
}

/** What tells these segments from others that have their form. */
export function textsOf(segments: readonly Segment[]): string {
  return segments.map(segment => (typeof segment === 'string' ? `/${segment}` : '')).join('')
}

/** What has the texts of a path, if no parameter is empty there. `slashes` is what `scan` has found. */
export function look<T>(
  { parameters, runs, byTexts }: Form<T>,
  path: string,
  slashes: readonly number[],
): T | undefined {
  for (const index of parameters) if (slashes[index + 1] === (slashes[index] as number) + 1) return undefined
  let texts = ''
  for (const { from, to } of runs) texts += path.slice(slashes[from], slashes[to])
  return byTexts.get(texts)
}

/**
 * Finds where the slashes of a path stand, and its end.
 *
 * @param slashes where to put them
 * @param atMost after how many segments to stop
 * @returns how many segments it has
 */
export function scan(path: string, slashes: number[], atMost: number): number {
  let count = 0
  let slash = hasSegments(path) ? 0 : path.length
  while (slash < path.length && count < atMost) {
    slashes[count] = slash
    count += 1
    slash = endOf(path, slash)
  }
  slashes[count] = slash
  return count
}

/** `*`, which OPTIONS may ask for, has none. */
export function hasSegments(path: string): boolean {
  return path === '' || path.startsWith('/')
}

/** Does a path end with a slash, which may be one more than its route has? `slashes` is what `scan` has found. */
export function hasLastSlash(count: number, slashes: readonly number[]): boolean {
  return slashes[count] === (slashes[count - 1] as number) + 1
}

/** Where the segment after a slash ends. */
export function endOf(path: string, slash: number): number {
  const next = path.indexOf('/', slash + 1)
  return next < 0 ? path.length : next
}
