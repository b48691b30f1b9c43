import { parse, type Token } from 'path-to-regexp'

/** A segment of a path that is one text, or one parameter and nothing beside it. */
export type Segment = string | { readonly name: string }

/** One way to fill a path: with or without each of its optional groups. */
export interface Way {
  /** The segments from the first on, up to one that is neither a text nor a parameter. */
  readonly segments: readonly Segment[]
  /** Are those all? Else the regular expression of the path knows the rest. */
  readonly isWhole: boolean
}

type Piece = Exclude<Token, { type: 'group' }>

/**
 * Reads a path as segments. What begins with no slash, or is a regular expression, has none that could be told.
 *
 * @returns its ways, in the order in which path-to-regexp tries them: with a group before without it
 */
export function waysOf(path: string | RegExp): Way[] {
  if (typeof path !== 'string') return [{ segments: [], isWhole: false }]
  return withAndWithout(parse(path).tokens).map(toWay)
}

function withAndWithout([token, ...rest]: readonly Token[]): Piece[][] {
  if (!token) return [[]]
  if (token.type === 'group') return [...withAndWithout([...token.tokens, ...rest]), ...withAndWithout(rest)]
  return withAndWithout(rest).map(pieces => [token, ...pieces])
}

function toWay(pieces: readonly Piece[]): Way {
  const [before = [], ...between] = slashed(pieces)
  if (before.length > 0) return { segments: [], isWhole: false }
  const segments = between.map(toSegment)
  const end = segments.indexOf(undefined)
  if (end < 0) return { segments: segments as Segment[], isWhole: true }
  return { segments: segments.slice(0, end) as Segment[], isWhole: false }
}

/** The pieces before the first slash, and those after each. */
function slashed(pieces: readonly Piece[]): Piece[][] {
  const lists: Piece[][] = [[]]
  for (const piece of pieces) {
    const [first, ...others] = piece.type === 'text' ? piece.value.split('/').map(toText) : [[piece]]
    lists.at(-1)?.push(...(first as Piece[]))
    lists.push(...others)
  }
  return lists
}

function toText(value: string): Piece[] {
  return value === '' ? [] : [{ type: 'text', value }]
}

function toSegment(pieces: readonly Piece[]): Segment | undefined {
  const [piece] = pieces
  if (pieces.length === 1 && piece?.type === 'param') return piece
  if (pieces.every(it => it.type === 'text')) return pieces.map(({ value }) => value).join('')
}
