import { Controller, Get, Module, Req, Res } from '@nestjs/common'
import { tap } from 'rxjs'
import { decorate, listen } from '../../shared/nest.js'
import { timing } from '../../shared/timing.js'

export const title = 'nest on fastify, interceptors'
export const packages = ['@nestjs/core', '@nestjs/platform-fastify']

class Timed {
  intercept(_context, next) {
    const start = performance.now()
    return next.handle().pipe(tap(() => timing.add(performance.now() - start)))
  }
}

class Guarded {
  intercept(context, next) {
    context.switchToHttp().getResponse().header('X-Content-Type-Options', 'nosniff')
    return next.handle()
  }
}

class Signed {
  intercept(context, next) {
    context.switchToHttp().getRequest().by = 'bench'
    return next.handle()
  }
}

class Hello {
  json(request, reply) {
    reply.header('X-By', request.by)
    return { hello: 'world' }
  }
}
decorate(Hello, 'json', [Get('json')], [Req(), Res({ passthrough: true })])
decorate(Hello, [Controller()])

class App {}
decorate(App, [Module({ controllers: [Hello] })])

export default await listen(App, app => app.useGlobalInterceptors(new Timed(), new Guarded(), new Signed()))
