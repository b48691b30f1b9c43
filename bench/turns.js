// A machine that others share is now fast and now slow, for seconds and by a third. Servers that are measured one after
// another meet different ones of these moments; servers that take turns of a tenth of a second meet the same.
import { setTimeout as sleep } from 'node:timers/promises'

const TURN = 100

/**
 * Lets each server run for so many seconds in all, one at a time and in short turns: the others are paused, and their
 * loads wait for them. Every other time the order is turned round.
 *
 * @returns for each server the seconds that it ran
 */
export async function takeTurns(servers, seconds) {
  const ran = new Map(servers.map(server => [server, 0]))
  for (let turn = 0; turn < (seconds * 1000) / TURN; turn += 1)
    for (const server of turn % 2 === 0 ? servers : servers.toReversed())
      ran.set(server, ran.get(server) + (await oneTurn(server, () => sleep(TURN))))
  return servers.map(server => ran.get(server))
}

/** Lets a paused server run until something is done. @returns the seconds that this took */
export async function oneTurn(server, run) {
  const start = performance.now()
  server.resume()
  await run()
  server.pause()
  return (performance.now() - start) / 1000
}
