import { Controller, Get, Module, Param } from '@nestjs/common'
import { decorate, listen } from '../shared/nest.js'

export const title = 'nest on fastify'
export const packages = ['@nestjs/core', '@nestjs/platform-fastify']

class Hello {
  json() {
    return { hello: 'world' }
  }

  user(id) {
    return { id }
  }
}
decorate(Hello, 'json', [Get('json')])
decorate(Hello, 'user', [Get('users/:id')], [Param('id')])
decorate(Hello, [Controller()])

class App {}
decorate(App, [Module({ controllers: [Hello] })])

export default await listen(App)
