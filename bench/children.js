// Of a bench that is broken off nothing stays: a paused server cannot see it, and a load would go on.
const running = new Set()

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

/** Has a process of the bench end with it. @returns the same process */
export function withMe(child) {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}
