import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onCore, SERVER } from './cores.js'

/**
 * Starts a server, in a process and on a core of its own. `usage()` is its processor time in microseconds since its
 * start, and its memory in bytes.
 */
export async function startServer(module, environment = {}) {
  const [command, ...args] = onCore(SERVER, [process.execPath, fileURLToPath(new URL('serve.js', import.meta.url))])
  const child = spawn(command, [...args, module.href], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production', ...environment },
  })
  const ended = once(child, 'exit')
  const message = what =>
    Promise.race([
      once(child, 'message'),
      ended.then(() => Promise.reject(new Error(`bench: ${module.href} ended ${what}. Run it by itself.`))),
    ])
  const [{ port, peer }] = await message('before it listened')
  return {
    peer,
    pid: child.pid,
    url: `http://127.0.0.1:${port}`,
    async usage() {
      child.send('usage')
      const [usage] = await message('under load')
      return usage
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
