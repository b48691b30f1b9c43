import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { kolba } from 'kolba'
import { app } from '../../examples/camera.js'
import { jpeg, live } from '../../examples/emulated-camera.js'
import { moving } from '../../examples/moving.js'
import { testChromium } from '../support/chromium.js'
import { MemoryLogger } from '../support/memory-logger.js'
import { root } from '../support/root.js'

app.logger = new MemoryLogger()

let base = ''
test.before(async () => {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
test.after.always(() => app.close())

type Body = Record<string, unknown> & { _links: Record<string, string> }

test('camera.ts has at most 80 lines', t => {
  t.true(readFileSync(join(root, 'examples/camera.ts'), 'utf8').trimEnd().split('\n').length <= 80)
})

async function read(path: string): Promise<Body> {
  return (await app.client().get(path)).json() as Promise<Body>
}

/** Begins a time-lapse: the place of its job. */
async function begin(camera: string, frames: number, interval: number): Promise<string> {
  const response = await app.client().post(`/cameras/${camera}/timelapses`, { json: { frames, interval } })
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`)
  return response.headers.get('location') as string
}

/** Waits for a job, as a client may: the answer when it has ended. */
async function ended(job: string): Promise<Response> {
  for (;;) {
    const response = await app.client().get(job, { headers: { Prefer: 'wait=5' } })
    if (response.status !== 202) return response
    await response.body?.cancel()
  }
}

/** The kinds of the segments of a JPEG before its image, and the width and height that it says. */
function headOf(jpeg: Buffer) {
  const markers: string[] = []
  let size: number[] = []
  for (let at = 2; jpeg[at] === 0xff && markers.at(-1) !== 'da'; at += 2 + jpeg.readUInt16BE(at + 2)) {
    markers.push(jpeg.subarray(at + 1, at + 2).toString('hex'))
    if (jpeg[at + 1] === 0xc0) size = [jpeg.readUInt16BE(at + 7), jpeg.readUInt16BE(at + 5)]
  }
  return { start: jpeg.readUInt16BE(0), markers, size, end: jpeg.readUInt16BE(jpeg.length - 2) }
}

const HEAD = { start: 0xffd8, markers: ['e0', 'db', 'c0', 'c4', 'c4', 'da'], size: [512, 384], end: 0xffd9 }

/** The parts of a multipart body, each with a Content-Length. */
function partsOf(body: Buffer): { head: string; content: Buffer }[] {
  const parts: { head: string; content: Buffer }[] = []
  let at = body.indexOf('--frame') + '--frame'.length
  while (body.subarray(at, at + 2).toString() === '\r\n') {
    const start = body.indexOf('\r\n\r\n', at) + 4
    const head = body.subarray(at + 2, start).toString()
    const end = start + Number(/Content-Length: (\d+)/.exec(head)?.[1])
    parts.push({ head, content: body.subarray(start, end) })
    if (body.subarray(end, end + 9).toString() !== '\r\n--frame') throw new Error('There is no boundary behind a part.')
    at = end + 9
  }
  if (body.subarray(at).toString() !== '--\r\n') throw new Error('The last boundary is none.')
  return parts
}

test.serial('the cameras are listed, each leads to what it sees, and others are 404', async t => {
  const [harbour, hills] = (await read('/cameras')) as unknown as Body[]
  t.deepEqual([harbour?.id, hills?.id], ['harbour', 'hills'])
  t.deepEqual(await read('/cameras/hills'), hills)
  for (const path of Object.values(hills?._links ?? {})) t.is((await app.client().head(path)).status, 200, path)
  t.is((await app.client().get('/cameras/moon')).status, 404)
  t.is((await app.client().post('/cameras/moon/timelapses', { json: { frames: 1, interval: 1 } })).status, 404)
})

test.serial('a photo is created, is a JPEG that caches may keep, and is in the list of its camera', async t => {
  const client = app.client()
  const created = await client.post('/cameras/hills/photos')
  t.is(created.status, 201)
  const photo = (await created.json()) as Body
  t.is(created.headers.get('location'), `/photos/${photo.id}`)
  t.deepEqual(photo._links, { image: `/photos/${photo.id}`, camera: '/cameras/hills' })

  const response = await client.get(`/photos/${photo.id}`)
  t.is(response.headers.get('content-type'), 'image/jpeg')
  t.is(response.headers.get('cache-control'), 'max-age=31536000, immutable')
  t.deepEqual(headOf(Buffer.from(await response.arrayBuffer())), HEAD)
  const tag = response.headers.get('etag') as string
  t.is((await client.get(`/photos/${photo.id}`, { headers: { 'If-None-Match': tag } })).status, 304)

  const { items } = (await read('/photos?camera=hills')) as unknown as { items: Body[] }
  t.deepEqual(items, [photo])
  t.deepEqual((await read('/photos?camera=harbour')).items, [])
  t.is((await client.get('/photos/none')).status, 404)
})

test.serial('a time-lapse is a job, which leads to it when it has ended', async t => {
  const job = await begin('harbour', 4, 0.05)
  const state = await ended(job)
  t.is(state.status, 303)
  t.like(await state.json(), { state: 'succeeded', progress: { done: 4, total: 4 } })
  const film = await read(state.headers.get('location') as string)
  t.like(film, { camera: 'harbour', frames: 4, interval: 0.05 })
  const { items } = (await read('/timelapses?frames[gte]=4')) as unknown as { items: Body[] }
  t.deepEqual(items, [film])

  const response = await app.client().get(film._links.stream as string)
  t.is(response.headers.get('content-type'), 'multipart/x-mixed-replace; boundary=frame')
  const parts = partsOf(Buffer.from(await response.arrayBuffer()))
  t.is(parts.length, 4)
  for (const { head, content } of parts) {
    t.true(head.startsWith('Content-Type: image/jpeg\r\n'))
    t.deepEqual(headOf(content), HEAD)
  }
  t.is(new Set(parts.map(({ content }) => content.toString('base64'))).size, 4)
  t.is((await app.client().get('/timelapses/none/stream')).status, 404)
})

test.serial('a time-lapse tells how far it is, and is cancelled', async t => {
  const job = await begin('hills', 3, 20)
  const response = await fetch(base + job, { headers: { Accept: 'text/event-stream' } })
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk)
    if (text.includes('"done":1') && !text.includes('cancelled')) {
      t.is((await app.client().delete(job)).status, 204)
    }
  }
  t.regex(text, /"state":"cancelled"/)
  t.like(await read(job), { state: 'cancelled', progress: { done: 1, total: 3 } })
  t.deepEqual((await read('/timelapses?camera=hills')).items, [])
})

test.serial('a camera live is a stream, which ends when the app closes', async t => {
  const own = kolba({ signals: false })
  own.get('/', moving(), () => live('hills', 0.01))
  const server = own.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const chunks: Uint8Array[] = []
  let closed: Promise<void> | undefined
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    if (chunks.push(chunk) === 5) closed = own.close()
  }
  await closed
  const parts = partsOf(Buffer.concat(chunks))
  t.true(parts.length >= 2)
  for (const { content } of parts) t.deepEqual(headOf(content), HEAD)
})

test.serial('a plan that does not fit is 422 at once', async t => {
  const response = await app.client().post('/cameras/hills/timelapses', { json: { frames: 0, interval: 60 } })
  t.is(response.status, 422)
  const { errors } = (await response.json()) as { errors: { pointer: string }[] }
  t.deepEqual(
    errors.map(({ pointer }) => pointer),
    ['#/frames', '#/interval'],
  )
})

type Colour = readonly [number, number, number]
const COLOURS: Colour[] = [
  [0, 0, 0],
  [255, 255, 255],
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [128, 128, 128],
  [12, 16, 44],
]

/** In the page: the first row of pixels of the picture. */
const LOOK = `async (width, height) => {
  const image = document.querySelector('img')
  await image.decode()
  const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')
  context.drawImage(image, 0, 0)
  return [...context.getImageData(0, 0, width, 1).data]
}`

/** In the page: waits until the picture has changed a number of times. */
const WATCH = `async times => {
  const image = document.querySelector('img')
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const all = new Set()
  while (all.size <= times) {
    await new Promise(resolve => setTimeout(resolve, 20))
    if (image.naturalWidth === 0) continue
    context.drawImage(image, 0, 0, 64, 48)
    all.add([...context.getImageData(0, 0, 64, 48).data].join())
  }
  return [image.naturalWidth, image.naturalHeight]
}`

testChromium('Chromium shows photos, a camera live, and a time-lapse as it was taken', async (t, browser) => {
  const page = await browser.newPage()
  await page.goto(`${base}/cameras`)

  // Each colour is what it was said to be, but for what rounding to and from brightness and differences takes.
  const squares = jpeg(COLOURS.length, 1, x => COLOURS[Math.round(x * COLOURS.length)] as Colour)
  await page.setContent(`<img src="data:image/jpeg;base64,${squares.toString('base64')}">`)
  const shown = (await page.evaluate(`(${LOOK})(${COLOURS.length * 8}, 8)`)) as number[]
  const differences = COLOURS.flatMap((colour, square) =>
    colour.map((value, index) => Math.abs(value - Number(shown[(square * 8 + 4) * 4 + index]))),
  )
  t.deepEqual(
    differences.filter(difference => difference > 3),
    [],
  )

  await page.setContent(`<img src="${base}/cameras/harbour/stream">`, { waitUntil: 'domcontentloaded' })
  t.deepEqual(await page.evaluate(`(${WATCH})(5)`), [512, 384])

  const film = (await ended(await begin('harbour', 8, 0.3))).headers.get('location')
  await page.setContent(`<img src="${base}${film}/stream">`, { waitUntil: 'domcontentloaded' })
  t.deepEqual(await page.evaluate(`(${WATCH})(3)`), [512, 384])
})
