import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onCore, SERVER } from './cores.js'

/** Starts a server, in a process and on a core of its own. `processorTime()` is in microseconds since its start. */
export async function startServer(module) {
  const [command, ...args] = onCore(SERVER, [process.execPath, fileURLToPath(new URL('serve.js', import.meta.url))])
  const child = spawn(command, [...args, module.href], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const exited = once(child, 'exit')
  const [{ port, peer }] = await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error(`bench: ${module.href} ended before it listened. Run it by itself.`))),
  ])
  return {
    peer,
    url: `http://127.0.0.1:${port}`,
    async processorTime() {
      child.send('processor time')
      const [{ user, system }] = await once(child, 'message')
      return user + system
    },
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
