import { delimiter, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import puppeteer, { type Browser } from 'puppeteer-core'
import { hasCommand, testTool } from './tools.ts'

/** Where a Chromium may be: `CHROME_PATH` says it, or it has one of its names. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const executable = [process.env.CHROME_PATH ?? [], NAMES.flatMap(inPath)].flat().find(hasCommand)

/** Without a screen, in few processes. As root it has no sandbox, and the pages are ours. */
const ARGUMENTS = [
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-background-networking',
  '--renderer-process-limit=1',
  '--js-flags=--max-old-space-size=128',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

/**
 * A test with a Chromium and an empty profile of its own, which is closed at its end. Where there is none the test is
 * skipped, under a title that says so, or fails if `KOLBA_REQUIRE` names `chromium`.
 *
 * @example testChromium('json() is shown', async (t, browser) => { const page = await browser.newPage() })
 */
export function testChromium(title: string, run: (t: ExecutionContext, browser: Browser) => Promise<void>): void {
  testTool('chromium', executable !== undefined, title, async t => {
    const browser = await puppeteer.launch({ executablePath: executable as string, args: ARGUMENTS, pipe: true })
    try {
      await run(t, browser)
    } finally {
      await browser.close()
    }
  })
}

/** The files that a name may mean, in the order of the folders. */
function inPath(name: string): string[] {
  const folders = process.env.PATH?.split(delimiter) ?? []
  return folders.map(folder => join(folder, name))
}
