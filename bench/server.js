import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { withMe } from './children.js'
import { onCore, SERVER } from './cores.js'

/** Starts a server, in a process and on a core of its own. */
export async function startServer(module, environment = {}) {
  const { servers, ...process } = await startServers([module], { environment })
  return { ...process, ...servers[0] }
}

/**
 * Starts servers together in one process. `usage()` is its processor time in microseconds since its start, and its
 * memory in bytes; with the flag --expose-gc what is held is counted after a collection.
 */
export async function startServers(modules, { environment = {}, flags = [] } = {}) {
  const serve = [process.execPath, ...flags, fileURLToPath(new URL('serve.js', import.meta.url))]
  const [command, ...args] = onCore(SERVER, serve)
  const options = {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production', ...environment },
  }
  const child = withMe(spawn(command, [...args, ...modules.map(({ href }) => href)], options))
  const ended = once(child, 'exit')
  const message = what =>
    Promise.race([
      once(child, 'message'),
      ended.then(() => Promise.reject(new Error(`bench: ${modules.join(', ')} ended ${what}. Run it by itself.`))),
    ])
  const [{ servers }] = await message('before it listened')
  return {
    pid: child.pid,
    servers: servers.map(({ port, peer }) => ({ peer, url: `http://127.0.0.1:${port}` })),
    async usage() {
      child.send('usage')
      const [usage] = await message('under load')
      return usage
    },
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
