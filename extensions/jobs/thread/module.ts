import { existsSync } from 'node:fs'
import type { Handler } from '../../../src/index.ts'

/**
 * The URL of the module whose default export is a handler: the one that is given, or, where that is a `.ts` that was
 * compiled, the `.js` beside it.
 *
 * @throws TypeError where there is none
 */
export async function moduleOf(where: string, url: URL, handler: Handler): Promise<string> {
  const there = [url, compiled(url)].filter(it => it.protocol !== 'file:' || existsSync(it))
  const advice = "Write thread: new URL('./heavy.ts', import.meta.url), with the path that it is imported from."
  if (there.length === 0) throw new TypeError(`${where}: thread is ${url.href}, where no file is. ${advice}`)
  let cause: unknown
  for (const { href } of there) {
    try {
      const { default: its } = await import(href)
      if (its === handler) return href
    } catch (error) {
      cause ??= error
    }
  }
  if (cause)
    throw new TypeError(`${where}: thread is ${url.href}, which could not be loaded. See the cause.`, { cause })
  const what = `thread is ${url.href}, whose default export is not the handler of this route`
  throw new TypeError(`${where}: ${what}. Import it, and give it: import heavy from './heavy.ts'.`)
}

function compiled(url: URL): URL {
  const other = new URL(url)
  other.pathname = url.pathname.replace(/\.([cm]?)ts$/, '.$1js')
  return other
}
