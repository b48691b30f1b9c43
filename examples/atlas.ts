// The countries of the world as an API: list, detail, search, neighbours as links, and a guarded note for each.
import { createRequire } from 'node:module'
import { created, kolba, problem, reply } from 'kolba'
import { body } from 'kolba/body'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { requestLog } from 'kolba/request-log'
import type { Country } from 'world-countries'

const countries: Country[] = createRequire(import.meta.url)('world-countries')
const notes = new Map<string, string>()

export const app = kolba()
app.use(requestLog())
const api = app.group('/countries', etag(), json({ pretty: true }))

api.get('/', ({ query }) => countries.filter(({ region }) => !query.region || region === query.region).map(summary))

api.get('/search', ({ query: { q = '' } }) => {
  if (q === '') throw problem(400, { detail: 'Say what to look for: /countries/search?q=land' })
  return countries.filter(({ name }) => name.common.toLowerCase().includes(String(q).toLowerCase())).map(summary)
})

const show = api.get('/:code', function show(ctx) {
  const { cca3: code, name, capital, region, area, languages, borders } = find(ctx.params.code)
  const neighbours = borders.map(code => ctx.urlFor('show', { code }))
  return { code, name: name.official, capital, region, area, languages, neighbours, note: notes.get(code) ?? null }
})

const note = api.get('/:code/note', ({ params: { code } }) => {
  if (!notes.has(find(code).cca3)) throw problem(404, { detail: `${code} has no note yet. Add one with POST.` })
  return { note: notes.get(code) }
})

api.post('/:code/note', body(), ({ params: { code }, input }) => {
  if (notes.has(find(code).cca3)) throw problem(409, { detail: `${code} has a note. Change it with PUT.` })
  notes.set(code, text(input.body))
  return created(app.url(note, { code }), input.body)
})

api.put('/:code/note', etag({ required: true }), body(), ({ params: { code }, input, version }) => {
  notes.set(find(code).cca3, text(input.body))
  return reply(version ? 200 : 201, input.body)
})

api.delete('/:code/note', ({ params: { code } }) => {
  if (!notes.delete(find(code).cca3)) throw problem(404, { detail: `${code} has no note.` })
  return null
})

app.get('/', ctx => {
  ctx.type = 'html'
  const urls = ['/countries?region=Oceania', '/countries/search?q=land', '/countries/CHE', '/countries/XXX']
  const rows = app.routes().map(route => `<tr><td>${route.methods}<td><code>${route.path}</code>`)
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Atlas</title>
<style>body { font: 1.1rem/1.7 system-ui; max-width: 40rem; margin: 3rem auto } td { padding-right: 2rem }</style>
<h1>Atlas</h1><p>${countries.length} countries. Try:</p><ul>${urls.map(url => `<li><a href="${url}">${url}</a>`).join('')}</ul>
<h2>Routes</h2><table>${rows.join('')}</table>`
})

const summary = ({ cca3: code, name }: Country) => ({ code, name: name.common, url: app.url(show, { code }) })

function find(code: string): Country {
  const country = countries.find(({ cca3 }) => cca3 === code)
  if (!country) throw problem(404, { detail: `There is no country ${code}. Codes are like CHE and NZL.` })
  return country
}

function text(body: unknown): string {
  const { note } = Object(body)
  if (typeof note !== 'string' || note === '') throw problem(422, { detail: 'Send {"note": "some text"}.' })
  return note
}

const { PORT = 3000 } = process.env
const welcome = `The atlas is at http://localhost:${PORT}
curl http://localhost:${PORT}/countries/CHE
curl 'http://localhost:${PORT}/countries/search?q=land'
curl -H 'Content-Type: application/json' -d '{"note": "Alps"}' http://localhost:${PORT}/countries/CHE/note`
if (process.argv[1] === import.meta.filename) app.listen(PORT, () => console.log(welcome))
