// W5: an order of 1 KB as JSON, what it has to be, and what must be refused.
const lines = Array.from({ length: 8 }, (_, index) => ({
  article: `article-${index}-${'x'.repeat(30)}`,
  quantity: index + 1,
  gift: index % 2 === 0,
  note: '',
}))
const order = { customer: 'Ada Lovelace', email: 'ada@example.com', currency: 'EUR', lines, comment: '' }
const least = JSON.stringify(order).length
export const validOrder = { ...order, comment: 'c'.repeat(1024 - least) }

/** What the handler gives: what it was given, in short, so that reading and checking are most of the work. */
export function summaryOf({ customer, lines }) {
  return { id: 1, customer, pieces: lines.reduce((sum, { quantity }) => sum + quantity, 0) }
}

/** The schema as JSON Schema, as Fastify, Feathers and a user of ajv have it. */
const text = (min, max) => ({ type: 'string', minLength: min, maxLength: max })
export const orderSchema = {
  $id: 'order',
  type: 'object',
  additionalProperties: false,
  required: ['customer', 'email', 'currency', 'lines'],
  properties: {
    customer: text(1, 80),
    email: { ...text(3, 200), pattern: '^[^@ ]+@[^@ ]+$' },
    currency: { type: 'string', enum: ['EUR', 'USD', 'GBP'] },
    lines: {
      type: 'array',
      minItems: 1,
      maxItems: 50,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['article', 'quantity'],
        properties: {
          article: text(1, 60),
          quantity: { type: 'integer', minimum: 1, maximum: 1000 },
          gift: { type: 'boolean' },
          note: text(0, 200),
        },
      },
    },
    comment: text(0, 1000),
  },
}

const headers = { 'Content-Type': 'application/json' }
const post = (value, rest) => ({ method: 'POST', path: '/orders', headers, body: JSON.stringify(value), ...rest })

export const requests = [
  post(validOrder, {
    status: 201,
    expect: JSON.stringify(summaryOf(validOrder)),
    expectHeaders: { location: '/orders/1' },
  }),
]
const status = /^4(00|22)$/
export const refused = [
  post({ ...validOrder, customer: '' }, { status }),
  post({ ...validOrder, lines: [] }, { status }),
  post({ ...validOrder, currency: 'XXX' }, { status }),
  post({ ...validOrder, lines: [{ article: 'pen', quantity: 1.5 }] }, { status }),
  // Feathers answers malformed JSON with 500.
  { ...post({}, { status: /^(400|422|500)$/ }), body: '{"customer":' },
]
