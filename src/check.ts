/** What an option may be: how to test it, and how an error says it. */
export interface Kind {
  readonly words: string
  /** Is it a secret, of which an error says no more than how long it is? @default false */
  readonly isSecret?: boolean
  test(value: unknown): boolean
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0

/** The kinds that most options are of. */
export const kinds = {
  flag: { words: 'true or false', test: value => typeof value === 'boolean' },
  text: { words: 'a non-empty string', test: isText },
  texts: { words: 'a list of non-empty strings', test: value => Array.isArray(value) && value.every(isText) },
  function: { words: 'a function', test: value => typeof value === 'function' },
  object: { words: 'an object', test: value => typeof value === 'object' && value !== null },
  logger: {
    words: 'an object with the methods info, warn and error',
    test: value =>
      ['info', 'warn', 'error'].every(name => typeof (value as Record<string, unknown>)?.[name] === 'function'),
  },
  count: { words: 'a whole number from 0', test: value => Number.isSafeInteger(value) && (value as number) >= 0 },
  bytes: {
    words: 'a whole number of bytes from 1',
    test: value => Number.isSafeInteger(value) && (value as number) > 0,
  },
  seconds: {
    words: 'a number of seconds above 0',
    test: value => isNumber(value) && value > 0 && value < 2 ** 31 / 1000,
  },
} satisfies Record<string, Kind>

/** A kind of which there are only these values. */
export function among(...values: readonly unknown[]): Kind {
  return { words: `one of ${list(values.map(show))}`, test: value => values.includes(value) }
}

/**
 * Refuses an option that is unknown or of a wrong kind; one that is undefined counts as not given.
 *
 * @throws TypeError `json: the option "prety" is unknown. It takes pretty and spaces.`
 */
export function checkOptions(where: string, options: unknown, known: Record<string, Kind>): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${where}: the options are ${show(options)}. Give an object with ${list(Object.keys(known))}.`)
  }
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined
    if (!kind && 'req' in options && 'res' in options)
      throw new TypeError(`${where}: this was given a ctx for its options. Call it where it is used: ${where}().`)
    if (!kind) throw new TypeError(`${where}: the option "${name}" is unknown. It takes ${list(Object.keys(known))}.`)
    if (value !== undefined && !kind.test(value)) {
      throw new TypeError(
        `${where}: the option ${name} is ${kind.isSecret ? veiled(value) : show(value)}. Give ${kind.words}.`,
      )
    }
  }
}

function list(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function veiled(value: unknown): string {
  return typeof value === 'string' ? `a string of ${Buffer.byteLength(value)} bytes` : show(value)
}

/** A value as an error names it: strings quoted, objects not looked into. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`
  return Array.isArray(value) ? 'a list' : typeof value === 'object' && value ? 'an object' : String(value)
}
