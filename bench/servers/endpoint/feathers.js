import { AuthenticationService, JWTStrategy } from '@feathersjs/authentication'
import { BadRequest } from '@feathersjs/errors'
import { feathers } from '@feathersjs/feathers'
import { authenticate, errorHandler, koa, parseAuthentication, rest } from '@feathersjs/koa'
import etag from '@koa/etag'
import conditional from 'koa-conditional-get'
import ratelimit from 'koa-ratelimit'
import { AUDIENCE, CACHE_CONTROL, LIMIT, pageOf, readQuery, SECRET } from '../../shared/endpoint.js'
import { find } from '../../shared/source.js'

export const title = 'feathers on koa, its authentication, koa-ratelimit, @koa/etag'
export const packages = ['@feathersjs/feathers', '@feathersjs/koa', '@feathersjs/authentication', 'koa-ratelimit']

const app = koa(feathers())
app.set('authentication', {
  entity: null,
  // It takes a text and nothing else, which jsonwebtoken tries as a public key first.
  secret: SECRET,
  authStrategies: ['jwt'],
  jwtOptions: { audience: AUDIENCE, algorithms: ['HS256'] },
})
const authentication = new AuthenticationService(app)
authentication.register('jwt', new JWTStrategy())

app.use(conditional())
app.use(etag())
app.use(errorHandler())
app.use(parseAuthentication())
app.use(authenticate('jwt'))
app.use(
  ratelimit({
    driver: 'memory',
    db: new Map(),
    duration: 60_000,
    max: LIMIT,
    id: ctx => ctx.feathers.authentication.payload.sub,
  }),
)
// What a service has to know of the URL reaches it by ctx.feathers. The user is known already.
app.use((ctx, next) => {
  ctx.feathers = { ...ctx.feathers, url: ctx.url, host: ctx.host }
  return next()
})
app.configure(rest({ authentication: { strategies: [] } }))

class Products {
  async find({ query, url, host }) {
    const { price, ...others } = query
    const wanted = readQuery({ ...others, 'price[gte]': price?.gte })
    if (!wanted) throw new BadRequest()
    return pageOf(await find(wanted), wanted, url, host)
  }
}
app.use('products', new Products())
app.service('products').hooks({
  after: {
    find: [
      async context => {
        const { link, body } = context.result
        context.http = { headers: { Link: link, 'Cache-Control': CACHE_CONTROL } }
        context.dispatch = body
      },
    ],
  },
})
app.use('authentication', authentication)

export default await app.listen(0)
