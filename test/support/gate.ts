import net, { type AddressInfo, type Socket } from 'node:net'

/** A way to a server that can be blocked, so that what comes stays without an answer, or cut. */
export class Gate {
  readonly #sockets = new Set<Socket>()
  readonly #server: net.Server
  #isBlocked = false

  constructor(target: URL) {
    this.#server = net.createServer(near => {
      const far = net.connect(Number(target.port || 6379), target.hostname)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one)
        one.on('data', data => this.#isBlocked || other.write(data))
        one.on('close', () => other.destroy())
        one.on('error', () => other.destroy())
      }
    })
  }

  async open(): Promise<number> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  /** What comes now goes nowhere. */
  block(isBlocked = true): void {
    this.#isBlocked = isBlocked
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  close(): void {
    this.#server.close()
    this.cut()
  }
}
