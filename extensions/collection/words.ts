const COUNT = 40
const LENGTH = 64

/** Names as a sentence has them: `a, b and c`. Of very many the first are said, so that an error stays short. */
export function listed(names: Iterable<string>): string {
  const all = [...names].map(shortened)
  if (all.length === 0) return 'none'
  if (all.length > COUNT) return `${all.slice(0, COUNT).join(', ')} and ${all.length - COUNT} more`
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

/** What a client has sent, as an error names it: never all of something long. */
export function shortened(text: string): string {
  return text.length > LENGTH ? `${text.slice(0, LENGTH).toWellFormed()}...` : text
}
