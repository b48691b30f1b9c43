// Loaded before a program with `--import`: whatever port it asks for, it gets a free one, and tells its parent which.
import cluster from 'node:cluster'
import net, { type AddressInfo } from 'node:net'

const { listen } = net.Server.prototype

net.Server.prototype.listen = function listenOnFreePort(this: net.Server, ...args: unknown[]) {
  const asked = Number(args[0])
  if (!Number.isInteger(asked)) return listen.apply(this, args as never)
  // The message goes after the listeners that the program has added, so that what they print is there.
  this.once('listening', () => setImmediate(() => process.send?.({ asked, got: (this.address() as AddressInfo).port })))
  return listen.apply(this, [0, ...args.slice(1)] as never)
} as typeof listen

// What the workers of a program say, its primary says on.
if (cluster.isPrimary)
  cluster.on('message', (_worker, message) => Object(message).got !== undefined && process.send?.(message))
