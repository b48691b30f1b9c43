import type { Backoff } from './options.ts'

/** Seconds before the next start, after so many ends in a row. Chance keeps workers from starting all at once. */
export function pauseAfter(failures: number, { first, longest }: Required<Backoff>): number {
  // 2 ** 1024 is infinite, and so many may come in some hours.
  const whole = Math.min(longest, first * 2 ** Math.min(failures, 50))
  return whole * (0.5 + Math.random() / 2)
}
