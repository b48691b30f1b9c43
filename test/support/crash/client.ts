import { setTimeout as sleep } from 'node:timers/promises'
import type { Order } from './orders.js'
import type { Servers } from './servers.js'

/** What `GET /jobs` and the event stream of a job say. */
export interface State {
  readonly id: string
  readonly state: string
  readonly attempts: number
  readonly finished: string | null
}

/** All that is seen of a job that has ended. */
export interface Final extends State {
  readonly version: string
  readonly status: number
  /** Of one that has succeeded, what its handler has returned. */
  readonly result: { readonly number: number; readonly attempt: number } | undefined
}

/** What a client knows of the orders that it has sent. */
export class Client {
  /** The job of each order whose 202 was read to its end, by number, in the order of the answers. */
  readonly accepted = new Map<number, string>()
  /** What `DELETE` was answered with. */
  readonly cancelled = new Map<number, number>()
  /** What each job was seen to have ended as, in the midst of it: `succeeded 2 2026-01-01T00:00:00.000Z`. */
  readonly sightings = new Map<string, Set<string>>()
  /** What should not have been answered. */
  readonly wrong: string[] = []
  unanswered = 0
  refused = 0
  readonly #servers: Servers

  constructor(servers: Servers) {
    this.#servers = servers
  }

  /** Sends an order until it is answered with 202, and cancels it where it is one to be cancelled. */
  async place(order: Order): Promise<void> {
    const id = await this.#post(order)
    if (id === undefined) return
    this.accepted.set(order.number, id)
    if (order.kind === 'cancelled') await this.#cancel(order, id)
    // Whoever has lost the answer sends it again, a second later or an hour.
    if (order.number % 20 === 0 && (await this.#post({ ...order, isGivenUp: false })) !== id)
      this.wrong.push(`Order ${order.number} was sent again and has another job.`)
  }

  async #post({ isGivenUp, ...order }: Order): Promise<string | undefined> {
    const headers = { 'Content-Type': 'application/json', 'X-Owner': order.owner, 'Idempotency-Key': `"${order.key}"` }
    const { number, kind } = order
    for (;;) {
      const answer = await this.#send('/orders', { method: 'POST', headers, body: JSON.stringify({ number, kind }) })
      if (answer?.status === 202) return JSON.parse(answer.text).id
      if (answer) await this.#refuse(`POST of order ${number}`, answer)
      else if (isGivenUp) return undefined
    }
  }

  async #cancel({ number, owner }: Order, id: string): Promise<void> {
    for (;;) {
      const answer = await this.#send(`/jobs/${id}`, { method: 'DELETE', headers: { 'X-Owner': owner } })
      if (answer?.status === 204 || answer?.status === 409) return void this.cancelled.set(number, answer.status)
      if (answer) await this.#refuse(`DELETE of order ${number}`, answer)
      // An accepted job that is not there is lost, which the verdict says.
      if (answer?.status === 404) return
    }
  }

  /** The jobs of somebody. Those that have ended are kept in mind. */
  async list(owner: string): Promise<readonly State[]> {
    for (;;) {
      const answer = await this.#send('/jobs', { headers: { 'X-Owner': owner } })
      if (answer?.status !== 200) {
        if (answer) await this.#refuse(`GET of the jobs of ${owner}`, answer)
        continue
      }
      const { items } = JSON.parse(answer.text) as { items: State[] }
      for (const { id, state, attempts, finished } of items) {
        if (finished === null) continue
        this.sightings.set(id, (this.sightings.get(id) ?? new Set()).add(`${state} ${attempts} ${finished}`))
      }
      return items
    }
  }

  /** A job that has ended, by its events, which say its state, and by its result; undefined for one that is not there. */
  async read(id: string, owner: string): Promise<Final | undefined> {
    const events = await this.#get(id, { 'X-Owner': owner, Accept: 'text/event-stream' }, [200, 404])
    if (events.status === 404) return undefined
    const [, version = '', data = '{}'] = /^id: (\d+)\ndata: (.*)$/m.exec(events.text) ?? []
    const { state, attempts, finished } = JSON.parse(data) as State
    // The outcome of one that has failed is a 500.
    const known = state === 'failed' ? [500] : [200]
    const { status, text } = await this.#get(id, { 'X-Owner': owner }, known)
    return {
      id,
      state,
      attempts,
      finished,
      version,
      status,
      result: state === 'succeeded' ? JSON.parse(text) : undefined,
    }
  }

  /** The status of a job as others see it. */
  async peek(id: string, owner: string): Promise<number> {
    return (await this.#get(id, { 'X-Owner': owner }, [200, 202, 404])).status
  }

  /** @param known the statuses that it may be answered with */
  async #get(id: string, headers: Record<string, string>, known: readonly number[]): Promise<Answer> {
    for (;;) {
      const answer = await this.#send(`/jobs/${id}`, { headers })
      if (answer && known.includes(answer.status)) return answer
      if (answer) await this.#refuse(`GET of the job ${id}`, answer)
    }
  }

  /** An answer that was read to its end, undefined where it did not come. */
  async #send(path: string, init: RequestInit): Promise<Answer | undefined> {
    const url = await this.#servers.url()
    try {
      const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(4000) })
      return { status: response.status, text: await response.text() }
    } catch {
      // The server was killed, or stands still. What has become of the request nobody knows.
      this.unanswered += 1
      await sleep(20)
      return undefined
    }
  }

  /** 503 is for a store that is away. */
  async #refuse(what: string, { status, text }: Answer): Promise<void> {
    this.refused += 1
    if (status !== 503) this.wrong.push(`${what} was answered with ${status}: ${text}`)
    if (this.wrong.length > 100) throw new Error(this.wrong.join('\n'))
    await sleep(50)
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}
