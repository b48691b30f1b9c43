import { type BaseContext, type Decorator, kolba, problem, reply } from 'kolba'
import { csv, languages, preferredEncoding, type preferredMediaType, produces, yaml } from 'kolba/negotiate'
import { same } from './same.ts'

const app = kolba()

// What was chosen is one of what there is.
app.get('/a', produces({ 'application/json': true, 'text/csv': csv() }), ctx => {
  const representation: string = ctx.representation
  same<typeof ctx.representation, 'application/json' | 'text/csv'>(true)
  return representation
})
app.get('/b', languages('en', 'de-CH'), ctx => same<typeof ctx.language, 'en' | 'de-CH'>(true))
app.get('/c', ctx => ctx.representation) // error: Property 'representation' does not exist
app.get('/d', ctx => ctx.language) // error: Property 'language' does not exist
same<ReturnType<typeof languages<['en']>>, Decorator<{ language: 'en' }>>(true)

// A group hands it down.
app.group('/e', languages('en', 'fr')).get('/', ctx => same<typeof ctx.language, 'en' | 'fr'>(true))

// A rendering that says what it takes says what the handler returns; the others take anything.
interface Book {
  title: string
}
const page = ({ title }: Book, ctx: BaseContext) => `<h1>${title} ${ctx.path}</h1>`
app.get('/f', produces({ 'application/json': true, 'text/csv': csv(), 'text/html': page }), () => ({ title: 'Emma' }))
app.get('/g', produces({ 'text/html': page }), async () => reply(404))
app.get('/h', produces({ 'text/html': page }), () => null)
app.get('/j/:id', produces({ 'text/html': page }), ({ params }) => (params.id ? { title: 'Emma' } : problem(404)))
app.get('/i', produces({ 'application/yaml': yaml(), 'text/html': page }), () => ({ titel: 'Emma' })) // error: titel
produces({ 'text/html': value => value.title }) // error: 'value' is of type 'unknown'
app.get('/k', produces({ 'text/html': (value, ctx) => `${value} ${ctx.path}` }), () => 5)

produces({ 'text/html': () => 5 }) // error: Type 'number' is not assignable
produces({ 'text/html': false }) // error: Type 'false' is not assignable
produces({ 'text/csv': csv }) // error: is not assignable
produces({ 'text/csv': csv() }, { formats: true }) // error: 'formats' does not exist
csv({ columns: { id: 5 } }) // error: Type 'number' is not assignable
languages() // error: Expected at least 1 arguments
languages('en', 5) // error: type 'number' is not assignable

const coding = (ctx: BaseContext) => preferredEncoding(ctx, ['br', 'identity'])
same<ReturnType<typeof coding>, 'br' | 'identity' | undefined>(true)
same<ReturnType<typeof preferredMediaType>, string | undefined>(true)
