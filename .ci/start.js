// `npm start` prints a URL and three curl lines, and they work.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'

const server = net.createServer().listen(0)
await once(server, 'listening')
const { port } = server.address()
await new Promise(resolve => server.close(resolve))

// A group of its own, so that npm, the script and the app can be ended together.
const child = spawn('npm', ['start'], { env: { ...process.env, PORT: port }, detached: true })
let output = ''
const curls = await new Promise((resolve, reject) => {
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
      const lines = output.match(/^curl .*(?=\n)/gm) ?? []
      if (lines.length >= 3) resolve(lines)
    })
  }
  child.on('close', code => reject(new Error(`npm start ended with ${code}:\n${output}`)))
  setTimeout(() => reject(new Error(`npm start printed no three curl lines in 120 s:\n${output}`)), 120_000).unref()
}).finally(() => child.removeAllListeners('close'))

try {
  if (!output.includes(`http://localhost:${port}`)) throw new Error(`It printed no URL:\n${output}`)
  for (const line of curls) {
    const printed = execFileSync('sh', ['-c', line.replace('curl', 'curl --fail --silent --show-error')])
    console.log(`${line}: ${printed.length} bytes`)
  }
} finally {
  process.kill(-child.pid, 'SIGTERM')
  await once(child, 'close')
}
