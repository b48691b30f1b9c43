import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'

/** A message of an event stream. */
export interface Message {
  readonly event: string
  readonly data: string
  readonly lastEventId: string
}

export interface EventStream {
  readonly messages: readonly Message[]
  readonly comments: readonly string[]
  /** Milliseconds after which a client comes back. */
  readonly retry: number | undefined
}

const FIELDS = ['data', 'event', 'id', 'retry']

/**
 * Reads an event stream as the HTML standard has it in section 9.2.6, and refuses what that only reads over: fields that
 * there are not, a retry that is no number, and an event that has no end.
 */
export function parseEvents(text: string): EventStream {
  const messages: Message[] = []
  const comments: string[] = []
  let retry: number | undefined
  let lastEventId = ''
  let event = ''
  let data: string[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  if (lines.pop() !== '') throw new Error('The last line has no end.')
  for (const line of lines) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (line === '') {
      if (data.length > 0) messages.push({ event: event || 'message', data: data.join('\n'), lastEventId })
      event = ''
      data = []
    } else if (line.startsWith(':')) comments.push(line.slice(1))
    else if (!FIELDS.includes(field)) throw new Error(`There is no field ${field}.`)
    else if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) lastEventId = value
    else if (field === 'retry' && /^\d+$/.test(value)) retry = Number(value)
    else throw new Error(`${field} is ${value}.`)
  }
  if (data.length > 0) throw new Error('The last event has no end.')
  return { messages, comments, retry }
}

/** An event stream that comes in, over a line of its own. */
export class Listening {
  text = ''
  hasEnded = false
  readonly #response: IncomingMessage

  constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      this.text += text
    })
    response.on('end', () => {
      this.hasEnded = true
    })
    // It may be cut off.
    response.on('error', () => {})
  }

  static async to(port: number, path: string, headers: Record<string, string> = {}): Promise<Listening> {
    const request = http.get({ port, path, agent: false, headers: { Accept: 'text/event-stream', ...headers } })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return new Listening(response)
  }

  get status(): number | undefined {
    return this.#response.statusCode
  }

  get headers(): IncomingMessage['headers'] {
    return this.#response.headers
  }

  /** What has come to an end by now. */
  get events(): EventStream {
    return parseEvents(this.text.slice(0, this.text.lastIndexOf('\n\n') + 2))
  }

  leave(): void {
    this.#response.destroy()
  }
}
