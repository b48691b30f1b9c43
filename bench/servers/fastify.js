import Fastify from 'fastify'

export const title = 'fastify'
export const packages = ['fastify']

const app = Fastify()
const answers = properties => {
  const type = Object.fromEntries(properties.map(name => [name, { type: 'string' }]))
  return { schema: { response: { 200: { type: 'object', properties: type } } } }
}

app.get('/json', answers(['hello']), () => ({ hello: 'world' }))
app.get('/users/:id', answers(['id']), request => ({ id: request.params.id }))

await app.listen({ port: 0 })
export default app.server
