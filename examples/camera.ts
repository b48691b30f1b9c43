// Cameras that take photos and time-lapses. A time-lapse takes its time, so it is a job: 202 says where it is watched.
//   curl -i -X POST localhost:3000/cameras/harbour/photos           201, and the place of the photo
//   curl -i --json '{ "frames": 50, "interval": 0.2 }' localhost:3000/cameras/harbour/timelapses
//   curl -i localhost:3000/jobs/...                                 202, how far it is, then 303 to the time-lapse
//   curl -N -H 'Accept: text/event-stream' localhost:3000/jobs/...  how far it is, whenever that changes
//   curl -i -X DELETE localhost:3000/jobs/...                       enough
// A browser shows http://localhost:3000/cameras/harbour/stream, and that of a time-lapse, as a picture that moves.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { created, kolba, problem, reply } from 'kolba'
import { cacheControl } from 'kolba/cache'
import { collection, links, resource } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { input } from 'kolba/input'
import { jobs } from 'kolba/jobs'
import { float, int, oneOf } from 'kolba/schema'
import { cameras, capture, live } from './emulated-camera.ts'
import { moving } from './moving.ts'

type Photo = { id: string; camera: string; taken: Date }
type Timelapse = Photo & { frames: number; interval: number }
const photos = new Map<string, Photo & { jpeg: Buffer }>()
const timelapses = new Map<string, Timelapse>()
const reels = new Map<string, Buffer[]>()
const fields = { id: 'string', camera: 'string', taken: 'date' } as const
const album = resource({ fields, sort: '-taken' })
const films = resource({ fields: { ...fields, frames: 'number', interval: 'number' }, sort: '-taken' })
const known = input({ params: { id: oneOf(...cameras) } })
const plan = input({ body: { frames: int({ min: 1, max: 500 }), interval: float({ min: 0.05, max: 20 }) } })

const seen = links(({ id }) => ({ stream: `/cameras/${id}/stream`, photos: `/photos?camera=${id}` }))
const ofPhoto = links(({ id, camera }) => ({ image: `/photos/${id}`, camera: `/cameras/${camera}` }))
const ofFilm = links(({ id, camera }) => ({ stream: `/timelapses/${id}/stream`, camera: `/cameras/${camera}` }))

export const app = kolba()
const work = jobs()
app.mount('/jobs', work.routes)

app.get('/cameras', etag(), seen, () => cameras.map(id => ({ id })))
app.get('/cameras/:id', known, etag(), seen, ctx => ctx.input.params)
app.get('/cameras/:id/stream', known, moving(), ctx => live(ctx.input.params.id))

app.get('/photos', etag(), ofPhoto, collection(album), () => photos.values())
app.get('/photos/:id', cacheControl({ maxAge: 31_536_000, immutable: true }), etag(), ({ params }) =>
  reply(200, find(photos, params.id).jpeg, { 'Content-Type': 'image/jpeg' }),
)
app.post('/cameras/:id/photos', known, ofPhoto, async ({ input: { params } }) => {
  const photo = { id: randomUUID(), camera: params.id, taken: new Date() }
  photos.set(photo.id, { ...photo, jpeg: await capture(params.id) })
  return created(`/photos/${photo.id}`, photo)
})

app.get('/timelapses', etag(), ofFilm, collection(films), () => timelapses.values())
app.get('/timelapses/:id', etag(), ofFilm, ({ params }) => find(timelapses, params.id))
app.get('/timelapses/:id/stream', moving(), ({ params }) => play(find(timelapses, params.id)))
app.post('/cameras/:id/timelapses', known, plan, work.background(), async ({ input, job, progress, signal }) => {
  const { frames, interval } = input.body
  const jpegs: Buffer[] = []
  for await (const jpeg of live(input.params.id, interval, signal)) {
    progress(jpegs.push(jpeg), frames)
    if (jpegs.length === frames) break
  }
  timelapses.set(job.id, { id: job.id, camera: input.params.id, taken: new Date(), frames, interval })
  reels.set(job.id, jpegs)
  return created(`/timelapses/${job.id}`)
})

async function* play({ id, interval }: Timelapse) {
  for (const jpeg of reels.get(id) ?? []) {
    yield jpeg
    await sleep(interval * 1000)
  }
}

function find<T>(all: Map<string, T>, id: string): T {
  if (all.has(id)) return all.get(id) as T
  throw problem(404, { detail: 'Nothing was taken that has this id.' })
}

if (process.argv[1] === import.meta.filename) app.listen(process.env.PORT ?? 3000)
