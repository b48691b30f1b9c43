/**
 * A function of a text that remembers what it has made, since clients send the same few texts again and again. It begins
 * anew when it knows so many, so that nobody can fill the memory; undefined is not remembered, so that what is refused
 * does not drive out what is not.
 */
export function remember<T>(most: number, make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return text => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = make(text)
    if (made === undefined) return made
    if (known.size >= most) known.clear()
    known.set(text, made)
    return made
  }
}
