import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'

import { type Cache, npmCache, undiciCache } from '../support/cache-tests/caches.ts'
import type { Suite } from '../support/cache-tests/format.ts'
import { cacheTestOrigin } from '../support/cache-tests/origin.ts'
import { type Outcome, play } from '../support/cache-tests/play.ts'
import { testVectors } from '../support/vectors.ts'

for (const [title, open] of [['undici', async () => undiciCache()], ['make-fetch-happen', npmCache]] as [string, (f: string[]) => Promise<Cache>][]) {
  testVectors(`x ${title}`, 'http-cache/cache-tests.json', async (t, text) => {
    const suites: Suite[] = JSON.parse(text)
    const origin = cacheTestOrigin()
    const server = origin.app.listen(0, '127.0.0.1')
    await new Promise(r => server.once('listening', r))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const cases = suites.flatMap(s => s.tests)
    const cache = await open(['server-request-count', 'client-request-count', 'server-now', 'server-base-url', 'request-numbers', ...new Set(cases.flatMap(c => c.requests.flatMap(s => (s.response_headers ?? []).map(f => f[0].toLowerCase()))))])
    const start = Date.now()
    const out = new Map<string, Outcome>()
    await Promise.all(cases.map(async c => { out.set(c.id, await play(c, cache.send, origin, base)) }))
    const failed = new Set([...out].filter(([, o]) => o.wrong).map(([id]) => id))
    const lines: string[] = []
    for (const s of suites) for (const c of s.tests) { const o = out.get(c.id) as Outcome
      const dep = c.depends_on?.find(d => failed.has(d))
      if (o.wrong) lines.push(`${c.kind ?? 'required'} ${s.id} ${c.id}${c.browser_only ? ' BO' : ''}${c.cdn_only ? ' CDN' : ''}${dep ? ` DEP ${dep}` : ''}: ${o.wrong}`)
      if (o.differences.length) lines.push(`DIFF ${c.id} ${o.differences.join(' | ')}`)
    }
    writeFileSync(`/tmp/h7-${title}.txt`, lines.join('\n'))
    console.log(title, Date.now() - start, out.size, failed.size)
    await cache.close(); server.closeAllConnections(); await origin.app.close()
    t.pass()
  })
}
