import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import Koa from 'koa'
import {
  type BaseContext,
  type Blueprint,
  blueprint,
  type Decorator,
  get,
  type Handler,
  type Kolba,
  kolba,
  stack,
} from 'kolba'
import { layer, trace } from '../support/layers.ts'

// From outside: whatever tree of groups, blueprints and apps a route stands in, exactly the layers of its position run,
// in order, and it makes no difference in which of the three forms its stack is written.

/** The first three hold others; an app has middleware and a hook for layers of its own. A Koa app answers everything. */
type Kind = 'group' | 'blueprint' | 'app' | 'koa' | 'route'

interface Node {
  kind: Kind
  /** How many layers stand where it is mounted, and how many on itself. */
  mount: number
  own: number
  path: 'none' | 'literal' | 'parameter first' | 'parameter last' | 'part of a segment'
  /** Is it filled only when everything is mounted? */
  isLate: boolean
  children: Node[]
}

/** Where a request should lead: what to ask for, and the labels of the layers on its way, outermost first. */
interface Expected {
  url: string
  labels: string[]
  params: string[]
}

type Form = (path: string, layers: Decorator[], id: number) => (parent: Parent) => void
type Parent = Pick<Blueprint, 'get' | 'group' | 'mount'> | Pick<Kolba, 'get' | 'group' | 'mount'>
type Loose = Record<'get' | 'group' | 'mount', (...args: unknown[]) => unknown>

const answer = (ctx: BaseContext & { params: object }) => ({ labels: trace(ctx), params: Object.keys(ctx.params) })

const forms: Record<string, Form> = {
  'the stack': (path, layers) => parent => (parent as Loose).get(path, ...layers, (ctx: never) => answer(ctx)),

  'a composition': (path, layers) => parent => {
    const handler = layers.reduceRight<Handler>(
      (below, it) => it(below as never) as Handler,
      (ctx: never) => answer(ctx),
    )
    ;(parent as Loose).get(path, handler)
  },

  '@ on a method': (path, layers, id) => parent => {
    const at = (index: number) => layers[index] ?? stack()
    class Resource {
      @get(path)
      @at(0)
      @at(1)
      @at(2)
      show(ctx: BaseContext & { params: object }) {
        return answer(ctx)
      }
    }
    Object.defineProperty(Resource, 'name', { value: `Resource${id}` })
    ;(parent as Loose).mount('', new Resource())
  },
}

const leaf = { mount: fc.nat(2), own: fc.nat(3), isLate: fc.boolean(), children: fc.constant<Node[]>([]) }
const paths = ['literal', 'parameter first', 'parameter last', 'part of a segment'] as const
const { forest } = fc.letrec<{ forest: Node[]; node: Node; inner: Node; leaf: Node }>(tie => ({
  forest: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
  node: fc.oneof({ maxDepth: 4, withCrossShrink: true }, tie('leaf'), tie('inner')),
  leaf: fc.record({ ...leaf, kind: fc.constantFrom('route', 'route', 'koa'), path: fc.constantFrom(...paths) }),
  inner: fc.record({
    ...leaf,
    kind: fc.constantFrom('group', 'blueprint', 'app'),
    path: fc.constantFrom('none', ...paths),
    children: tie('forest'),
  }),
}))

/** Builds an app of a forest, with the stacks of its routes in one form, and what to expect of it. */
function build(nodes: Node[], form: Form): { app: Kolba; expected: Expected[] } {
  const app = kolba()
  app.use(layer('root'))
  const expected: Expected[] = []
  const late: (() => void)[] = []
  const hasKoa = JSON.stringify(nodes).includes('"koa"')
  let count = 0

  const plant = (node: Node, parent: Parent, above: string[], base: string) => {
    const id = ++count
    // An app without a prefix is asked first for what a Koa app beside it answers, so then it gets one.
    const isRival = hasKoa && node.kind === 'app' && node.path === 'none'
    const path = pathOf(isRival ? 'literal' : node.path, id)
    const labels = (place: string, many: number) => Array.from({ length: many }, (_, index) => `${place}${id}.${index}`)
    const [mount, own] = [labels('mount', node.mount), labels('own', node.own)]
    const [mountLayers, ownLayers] = [mount.map(layer), own.map(layer)]
    const put = (what: object) => (parent as Loose).mount(path, what, ...mountLayers)
    const fill = (into: Parent, inside: string[]) => {
      const plantAll = () => {
        for (const child of node.children) plant(child, into, [...above, ...inside], base + path)
      }
      if (node.isLate) late.push(plantAll)
      else plantAll()
    }
    const lead = (inside: string[], rest = '') => {
      const params = [...(base + path).matchAll(/:(\w+)/g)].map(([, name]) => name as string)
      expected.push({ url: (base + path + rest).replace(/:\w+/g, 'v'), labels: [...above, ...inside], params })
    }

    if (node.kind === 'group') {
      fill((parent as Loose).group(path, ...ownLayers) as Parent, own)
    } else if (node.kind === 'blueprint') {
      const its = blueprint(...(ownLayers as []))
      put(its)
      fill(its, [...mount, ...own])
    } else if (node.kind === 'app') {
      const its = kolba()
      put(its)
      const hook = `hook${id}`
      for (const it of ownLayers) its.use(it)
      its.before(ctx => void trace(ctx).push(hook))
      fill(its, [...mount, ...own, hook])
    } else if (node.kind === 'koa') {
      const its = new Koa()
      its.use(ctx => {
        trace(ctx as never).push(`koa${id}`)
        ctx.body = answer(ctx as never)
      })
      put(its)
      lead([...mount, `koa${id}`], node.isLate ? '/any/thing' : '')
    } else {
      form(path, ownLayers, id)(parent)
      lead(own)
    }
  }
  for (const node of nodes) plant(node, app, ['root'], '')
  for (let next = late.shift(); next; next = late.shift()) next()
  return { app, expected }
}

function pathOf(path: Node['path'], id: number): string {
  if (path === 'none') return ''
  if (path === 'literal') return `/n${id}`
  if (path === 'parameter first') return `/:p${id}/n${id}`
  return path === 'parameter last' ? `/n${id}/:p${id}` : `/n${id}-:p${id}`
}

for (const [title, form] of Object.entries(forms)) {
  test(`every route runs exactly the layers of its position, in order, with ${title}`, async t => {
    await fc.assert(
      fc.asyncProperty(forest, async nodes => {
        const { app, expected } = build(nodes, form)
        const client = app.client()
        for (const { url, labels, params } of expected) {
          const response = await client.get(url)
          const seen = (await response.json()) as { labels: string[]; params: string[] }
          assert.deepEqual(seen.labels, labels, url)
          assert.deepEqual(seen.params.filter(name => name !== 'rest').sort(), params.sort(), url)
        }
      }),
      { numRuns: 60 },
    )
    t.pass()
  })
}

test('the three forms make the same routes of the same tree', t => {
  fc.assert(
    fc.property(forest, nodes => {
      const [first, ...others] = Object.values(forms).map(form => {
        const { app } = build(nodes, form)
        return app.routes().map(({ methods, path, decorators }) => [methods, path, decorators.map(it => it.name)])
      })
      for (const other of others) assert.deepEqual(other, first)
    }),
    { numRuns: 60 },
  )
  t.pass()
})
