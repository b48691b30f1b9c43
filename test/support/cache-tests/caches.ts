import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import makeFetchHappen from 'make-fetch-happen'
import { Agent, interceptors, request } from 'undici'
import type { Received } from './judge.ts'
import type { Asked, Send } from './play.ts'

export interface Cache {
  readonly send: Send
  close(): Promise<void>
}

/** undici's interceptor, as a shared cache, which is what it is by default. */
export async function undiciCache(): Promise<Cache> {
  const agent = new Agent({ connections: 64 })
  const dispatcher = agent.compose(interceptors.cache({ type: 'shared' }))
  async function send(url: string, { method, headers, body }: Asked): Promise<Received> {
    const interim: [number, Record<string, string>][] = []
    const answer = await request(url, {
      dispatcher,
      method: method as 'GET',
      headers: headers.flat(),
      ...(body !== undefined && { body }),
      onInfo: ({ statusCode, headers }) => interim.push([statusCode, joined(headers)]),
    })
    return { status: answer.statusCode, headers: joined(answer.headers), text: await answer.body.text(), interim }
  }
  return { send, close: () => agent.close() }
}

/** npm's, a private cache in a folder. It keeps only the fields that it is told to. */
export async function npmCache(fields: readonly string[]): Promise<Cache> {
  const folder = await mkdtemp(join(tmpdir(), 'kolba-cache-'))
  const options = { cachePath: folder, cacheAdditionalHeaders: [...fields], maxSockets: 64, retry: 0 }
  async function send(url: string, { method, headers, body }: Asked): Promise<Received> {
    const all: Record<string, string> = {}
    for (const [name, value] of headers) all[name] = all[name] === undefined ? value : `${all[name]}, ${value}`
    const answer = await makeFetchHappen(url, { ...options, method, headers: all, body, redirect: 'manual' } as never)
    const text = await answer.text()
    return { status: answer.status, headers: Object.fromEntries(answer.headers.entries()), text, interim: [] }
  }
  return { send, close: async () => rmSync(folder, { recursive: true, force: true }) }
}

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]))
}
