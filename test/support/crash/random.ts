/** Numbers from 0 to 1 that are the same for a seed, so that what was found can be looked for again. */
export type Random = () => number

/** Marsaglia's xorshift of 32 bits, after a step that sets seeds beside each other apart. */
export function randomOf(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
