interface Group {
  /** Is there a part in it that may have several lengths? */
  varies: boolean
  /** What each of its alternatives begins with; undefined where that is more than one letter or digit. */
  readonly firsts: (string | undefined)[]
  /** Does an alternative begin here? */
  begins: boolean
}

/** `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}` */
const QUANTIFIER = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/y
const OPENING = /\((?:\?(?:[:=!]|<[=!]|<\w+>))?/y
const CLASS = /\[(?:\\.|[^\]\\])*\]/y
const FEW = 10

/**
 * Refuses a pattern that may take a client's text exponential time: one with a backreference, with a repetition of what
 * repeats or may be missing, `(a+)+`, or with a repeated choice of what may begin alike, `(a|ab)*`.
 *
 * @returns the pattern without the flags that make it remember where it was
 * @throws TypeError
 */
export function checkPattern(where: string, { source, flags }: RegExp): RegExp {
  const refuse = (what: string): never => {
    throw new TypeError(
      `${where}: the pattern /${source}/ has ${what}, which can take very long. Write it in another way.`,
    )
  }
  const groups: Group[] = [newGroup()]
  let closed: Group | undefined
  for (let index = 0; index < source.length; ) {
    const group = groups.at(-1) as Group
    const quantifier = sticky(QUANTIFIER, source, index)
    if (quantifier && !group.begins) {
      const { least, most } = timesOf(quantifier)
      if (most > FEW && closed?.varies) refuse('a repetition in a repetition')
      if (most > FEW && closed && isAmbiguous(closed)) refuse('a repeated choice of what may begin alike')
      if (least !== most) group.varies = true
      closed = undefined
      index += quantifier[0].length
      continue
    }
    closed = undefined
    const atom = atomAt(source, index)
    if (/^\\(?:[1-9]|k)/.test(atom)) refuse('a backreference')
    if (atom.startsWith('(')) groups.push(newGroup())
    else if (atom === '|') group.begins = true
    else if (atom === ')' && groups.length > 1) {
      closed = groups.pop() as Group
      const outer = groups.at(-1) as Group
      outer.varies ||= closed.varies || closed.firsts.length > 1
      if (outer.begins) begin(outer, undefined)
    } else if (group.begins) begin(group, /^\w$/.test(atom) ? atom : undefined)
    index += atom.length
  }
  return new RegExp(source, flags.replace(/[gy]/g, ''))
}

function newGroup(): Group {
  return { varies: false, firsts: [], begins: true }
}

function begin(group: Group, first: string | undefined): void {
  group.firsts.push(first)
  group.begins = false
}

function isAmbiguous({ firsts, begins }: Group): boolean {
  const all = begins ? [...firsts, undefined] : firsts
  return all.length > 1 && (all.includes(undefined) || new Set(all).size < all.length)
}

function atomAt(source: string, index: number): string {
  const [long] = sticky(OPENING, source, index) ?? sticky(CLASS, source, index) ?? []
  if (long) return long
  return source.slice(index, index + (source[index] === '\\' ? 2 : 1))
}

function timesOf([sign, least, comma, most]: RegExpExecArray): { least: number; most: number } {
  if (least !== undefined) return { least: Number(least), most: comma ? Number(most || Infinity) : Number(least) }
  return { least: sign.startsWith('+') ? 1 : 0, most: sign.startsWith('?') ? 1 : Infinity }
}

function sticky(pattern: RegExp, source: string, index: number): RegExpExecArray | undefined {
  const own = new RegExp(pattern)
  own.lastIndex = index
  return own.exec(source) ?? undefined
}
