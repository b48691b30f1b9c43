// `npm start` prints a URL and three curl lines, and they work. SIGTERM ends it all.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'

const probe = net.createServer().listen(0)
await once(probe, 'listening')
const { port } = probe.address()
await new Promise(resolve => probe.close(resolve))

// A group of its own, as a terminal makes one: npm hands a signal to its shell, which does not hand it on.
const child = spawn('npm', ['start'], { env: { ...process.env, PORT: port }, detached: true })
const closed = once(child, 'close')
const late = setTimeout(endAll, 120_000)
let output = ''

try {
  const curls = await curlLines()
  if (!output.includes(`http://localhost:${port}`)) throw new Error('It printed no URL.')
  if (curls.length < 3) throw new Error('It printed no three curl lines.')
  for (const line of curls) {
    const printed = execFileSync('sh', ['-c', line.replace('curl', 'curl --fail --silent --show-error')])
    console.log(`${line}: ${printed.length} bytes`)
  }
  process.kill(-child.pid, 'SIGTERM')
  await closed // its output closes when the last of npm, the script and the app has ended
  if (await isOpen()) throw new Error('The app listens after SIGTERM.')
} catch (error) {
  console.log(`npm start: ${error.message}\n${output}`)
  process.exitCode = 1
} finally {
  clearTimeout(late)
  endAll()
}

/** The curl lines that it has printed when there are three, or when it has ended. */
function curlLines() {
  return new Promise(resolve => {
    const look = () => output.match(/^curl .*(?=\n)/gm) ?? []
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
        if (look().length >= 3) resolve(look())
      })
    }
    closed.then(() => resolve(look()))
  })
}

function isOpen() {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
  })
}

function endAll() {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // They have all ended.
  }
}
