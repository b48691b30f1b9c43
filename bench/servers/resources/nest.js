import { Controller, Delete, Get, HttpCode, Module, Param, Patch, Post, Put } from '@nestjs/common'
import { decorate, listen } from '../../shared/nest.js'
import { answer, routes } from '../../shared/routes.js'

export const title = 'nest on fastify, a controller for each resource'
export const packages = ['@nestjs/core', '@nestjs/platform-fastify']

const verbs = { GET: Get, POST: Post, PUT: Put, PATCH: Patch, DELETE: Delete }

const controllers = Object.entries(byResource()).map(([resource, its]) => {
  class Resource {}
  its.forEach((route, index) => {
    const name = `route${index}`
    Object.defineProperty(Resource.prototype, name, {
      value: params => answer(route, params),
      configurable: true,
      writable: true,
    })
    const verb = verbs[route.method](route.path.slice(resource.length + 1))
    decorate(Resource, name, [verb, HttpCode(200)], [Param()])
  })
  decorate(Resource, [Controller(resource)])
  return Resource
})

function byResource() {
  const groups = {}
  for (const route of routes()) groups[route.resource] = [...(groups[route.resource] ?? []), route]
  return groups
}

class App {}
decorate(App, [Module({ controllers })])

export default await listen(App)
