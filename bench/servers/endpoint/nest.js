import etag from '@fastify/etag'
import {
  BadRequestException,
  Controller,
  Get,
  Header,
  Module,
  Query,
  Req,
  Res,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common'
import { JwtModule, JwtService } from '@nestjs/jwt'
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler'
import { AUDIENCE, CACHE_CONTROL, KEY, LIMIT, pageOf, readQuery } from '../../shared/endpoint.js'
import { decorate, injects, listen } from '../../shared/nest.js'
import { find } from '../../shared/source.js'

export const title = 'nest on fastify, @nestjs/jwt in a guard, @nestjs/throttler, @fastify/etag'
export const packages = ['@nestjs/core', '@nestjs/platform-fastify', '@nestjs/jwt', '@nestjs/throttler']

class SignedIn {
  constructor(tokens) {
    this.tokens = tokens
  }

  async canActivate(context) {
    const request = context.switchToHttp().getRequest()
    const [scheme, token] = request.headers.authorization?.split(' ') ?? []
    if (scheme !== 'Bearer') throw new UnauthorizedException()
    try {
      request.user = await this.tokens.verifyAsync(token)
    } catch {
      throw new UnauthorizedException()
    }
    return true
  }
}
injects(SignedIn, JwtService)

class LimitedByUser extends ThrottlerGuard {
  async getTracker(request) {
    return request.user.sub
  }
}

class Products {
  async list(query, request, reply) {
    const wanted = readQuery(query)
    if (!wanted) throw new BadRequestException()
    const { link, body } = pageOf(await find(wanted), wanted, request.url, request.headers.host)
    reply.header('Link', link)
    return body
  }
}
const asked = [Query(), Req(), Res({ passthrough: true })]
decorate(Products, 'list', [Get(), Header('Cache-Control', CACHE_CONTROL)], asked)
decorate(Products, [Controller('products'), UseGuards(SignedIn, LimitedByUser)])

class App {}
const verifyOptions = { audience: AUDIENCE, algorithms: ['HS256'] }
const imports = [
  JwtModule.register({ secret: KEY, verifyOptions }),
  ThrottlerModule.forRoot([{ ttl: 60_000, limit: LIMIT }]),
]
decorate(App, [Module({ imports, controllers: [Products] })])

export default await listen(App, app => app.register(etag))
