import { int, object, text } from 'kolba/schema'
import { type Relation, type Resource, relation, resource } from '../../dist/extensions/collection/resource.js'
import { same } from './same.ts'

const load = () => []

// Names are those of the fields, whichever way they are declared.
const customers = resource({
  fields: {
    id: 'number',
    name: 'string',
    status: ['new', 'old'],
    total: { type: 'number', column: 'invoice.total' },
    age: int(),
  },
  key: 'id',
  search: ['name'],
  filterable: ['status', 'age'],
  sortable: ['total'],
  selectable: ['id', 'name'],
})
same<typeof customers, Resource>(true)
resource({ fields: { id: 'number' }, key: 'code' }) // error: Type '"code"' is not assignable to type '"id"'
resource({ fields: { id: 'number' }, search: ['name'] }) // error: Type '"name"' is not assignable to type '"id"'
resource({ fields: { id: 'number' }, filterable: ['name'] }) // error: Type '"name"' is not assignable to type '"id"'
resource({ fields: { id: 'number' }, sortable: ['name'] }) // error: Type '"name"' is not assignable to type '"id"'
resource({ fields: { id: 'number' }, selectable: ['name'] }) // error: Type '"name"' is not assignable to type '"id"'

// A schema of an object gives its names.
const shape = object({ id: int(), name: text() })
resource({ fields: shape, key: 'id', search: ['name'] })
resource({ fields: shape, search: ['age'] }) // error: Type '"age"' is not assignable

// What declares nothing.
resource({ fields: { id: 'int' } }) // error: Type '"int"' is not assignable
resource({ fields: { id: { column: 'a' } } }) // error: is not assignable to type 'FieldDeclaration'
resource({ fields: { id: 'number' }, filter: ['id'] }) // error: 'filter' does not exist in type

// A relation says what leads where, and to which resource; a circle has an annotation.
const orders: Resource = resource({
  fields: { id: 'number', customer_id: 'number' },
  expand: { customer: relation({ from: 'customer_id', resource: () => buyers, load }) },
})
const buyers = resource({
  fields: { id: 'number' },
  expand: {
    orders: relation({
      to: 'customer_id',
      many: true,
      resource: orders,
      load: (keys, ctx) => keys.map(key => ({ key, path: ctx.path })),
    }),
  },
})
relation({ from: 'a', load }) // error: Property 'resource' is missing
relation({ from: 'a', resource: orders }) // error: Property 'load' is missing
relation({ from: 'a', resource: { fields: {} }, load }) // error: Type '{}' is missing the following properties from type
resource({ fields: { id: 'number' }, expand: { orders } }) // error: but required in type 'RelationDeclaration'
const found: Relation | undefined = buyers.relations.get('orders')
same<NonNullable<typeof found>['resource'], Resource>(true)
