// `like`: a `*` is any run of characters, everything else is itself; it is about the whole text, and A is a while É is
// not é, in every source. `q` is the same of a part of the text. Neither takes longer than length times length.
// Text with a NUL is like nothing, and no pattern with one finds anything: SQLite reads only as far as that, and
// PostgreSQL cannot have one.

/** Tests text in JavaScript. */
export function matcher(pattern: string): (text: string) => boolean {
  if (pattern.includes('\0')) return () => false
  const pieces = pattern.split('*')
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  const starts = pieceAt(first)
  if (last === undefined) return text => text.length === first.length && starts(text, 0)
  const ends = pieceAt(last)
  const finds = rest.filter(Boolean).map(piece => ({ find: finder(piece), length: piece.length }))
  return text => {
    if (text.length < first.length + last.length || !starts(text, 0) || hasNul(text)) return false
    // The first place where a piece fits leaves the most for those behind it, so there is nothing to try again.
    let from = first.length
    for (const { find, length } of finds) {
      const at = find(text, from)
      if (at < 0) return false
      from = at + length
    }
    return from <= text.length - last.length && ends(text, text.length - last.length)
  }
}

/** Tests whether text contains another. */
export function container(part: string): (text: string) => boolean {
  if (part.includes('\0')) return () => false
  const find = finder(part)
  return text => find(text, 0) >= 0 && !hasNul(text)
}

function hasNul(text: string): boolean {
  return text.includes('\0')
}

type Find = (text: string, from: number) => number

/** Where a piece is found first. A folded letter is as long as itself, so an index stays what it is. */
function finder(piece: string): Find {
  if (!/[A-Za-z]/.test(piece)) return (text, from) => text.indexOf(piece, from)
  const pattern = new RegExp(classes(piece, escapeForJavaScript), 'g')
  return (text, from) => {
    pattern.lastIndex = from
    return pattern.test(text) ? pattern.lastIndex - piece.length : -1
  }
}

function pieceAt(piece: string): (text: string, at: number) => boolean {
  if (!/[A-Za-z]/.test(piece)) return (text, at) => text.startsWith(piece, at)
  const pattern = new RegExp(classes(piece, escapeForJavaScript), 'y')
  return (text, at) => {
    pattern.lastIndex = at
    return pattern.test(text)
  }
}

/** A regular expression in which each ASCII letter is a class of two, and nothing repeats. */
function classes(piece: string, write: (sign: string) => string): string {
  return piece.replace(/[A-Za-z]|[ -/:-@[-`{-~]|\p{Cc}/gu, it =>
    /[A-Za-z]/.test(it) ? `[${it.toLowerCase()}${it.toUpperCase()}]` : write(it),
  )
}

function escapeForJavaScript(sign: string): string {
  return `\\x${hex(sign).padStart(2, '0')}`
}

function hex(sign: string): string {
  return sign.charCodeAt(0).toString(16)
}

/** The pattern for SQL's LIKE, with `!` as the escape character, and in lower case as far as ASCII goes. */
export function likePattern(pattern: string): string {
  return foldAscii(pattern).replace(/[!%_]/g, '!$&').replaceAll('*', '%')
}

export function containsPattern(text: string): string {
  return `%${foldAscii(text).replace(/[!%_]/g, '!$&')}%`
}

export function foldAscii(text: string): string {
  return text.replace(/[A-Z]+/g, it => it.toLowerCase())
}

/**
 * The pattern for the REGEXP of MySQL and MariaDB, whose LIKE folds more than ASCII or nothing. The groups are atomic,
 * so that it does not go back over what it has found.
 */
export function regexpPattern(pattern: string): string {
  const [first = '', ...rest] = pattern.split('*').map(piece => classes(piece, escapeForSql))
  const last = rest.pop()
  const middle = rest.filter(Boolean).map(piece => `(?>.*?${piece})`)
  const end = last === undefined ? '' : `.*${last}`
  return `(?s)\\A${first}${middle.join('')}${end}\\z`
}

export function containsRegexp(text: string): string {
  return classes(text, escapeForSql)
}

function escapeForSql(sign: string): string {
  return `\\x{${hex(sign)}}`
}
