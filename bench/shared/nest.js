// What tsc emits for the decorators of a class in its legacy mode, so that this needs no compiler.
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'

/** `decorate(Books, [Controller('books')])`, `decorate(Books, 'show', [Get(':id')], [Param('id')])`. */
export function decorate(target, ...rest) {
  if (Array.isArray(rest[0])) return Reflect.decorate(rest[0], target)
  const [key, decorators, ...parameters] = rest
  const { prototype } = target
  parameters.flat().forEach((parameter, index) => {
    parameter(prototype, key, index)
  })
  Reflect.decorate(decorators, prototype, key, Object.getOwnPropertyDescriptor(prototype, key))
}

/** The types of a constructor's parameters, by which Nest injects. */
export function injects(target, ...types) {
  Reflect.defineMetadata('design:paramtypes', types, target)
}

/** Listens, with Nest on Fastify and its log off. `setUp` sees the app before. */
export async function listen(module, setUp = () => {}) {
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: ['error', 'warn'] })
  await setUp(app)
  await app.listen(0)
  return app.getHttpServer()
}
