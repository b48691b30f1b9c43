import { type } from 'arktype'
import { type Kolba, kolba } from 'kolba'
import { type InputSchemas, input } from 'kolba/input'
import { date, flag, float, int, list, nullable, object, oneOf, optional, readOnly, text } from 'kolba/schema'
import * as v from 'valibot'
import { z } from 'zod'

// One API, declared with each of the libraries.

/** GET /books/:id, POST /orders, POST /later: what they take. */
interface Declared {
  readonly book: InputSchemas
  readonly order: InputSchemas
  readonly sized: InputSchemas
}

const uncommon = { 'x-version': 'X-Version' } as const

const withKolba: Declared = {
  book: {
    params: { id: int({ min: 1 }) },
    query: {
      page: optional(int({ min: 1, max: 1000 }), 1),
      ratio: optional(float()),
      all: optional(flag()),
      tags: optional(list(text(), { max: 3 })),
      ids: optional(list(int())),
      sort: optional(oneOf('title', '-title')),
      level: optional(oneOf(1, 2, 3)),
      since: optional(date()),
      q: optional(text({ max: 20 })),
    },
    headers: { [uncommon['x-version']]: optional(int()), 'X-Parts': optional(list(int())) },
    cookies: { theme: optional(oneOf('light', 'dark')), visits: optional(int()) },
  },
  order: {
    body: object({
      id: readOnly(int()),
      customer: text({ min: 1, max: 40 }),
      gift: optional(flag(), false),
      note: optional(nullable(text())),
      due: optional(date()),
      lines: list(
        object({ id: readOnly(int()), article: text({ pattern: /^[a-z]+$/ }), quantity: int({ min: 1, max: 100 }) }),
        {
          min: 1,
          max: 3,
        },
      ),
      address: optional(object({ city: text(), geo: optional(object({ lat: float(), lon: float() })) })),
      options: optional(object({ express: optional(flag()) }, { additional: 'refuse' })),
    }),
  },
  // There are no unions in kolba/schema.
  sized: { query: {} },
}

const withZod: Declared = {
  book: {
    params: z.object({ id: z.int().min(1) }),
    query: z.object({
      page: z.int().min(1).max(1000).default(1),
      ratio: z.number().optional(),
      all: z.boolean().optional(),
      tags: z.array(z.string()).max(3).optional(),
      ids: z.array(z.int()).optional(),
      sort: z.enum(['title', '-title']).optional(),
      level: z.literal([1, 2, 3]).optional(),
      since: z.date().optional(),
      q: z.string().max(20).optional(),
    }),
    headers: z.object({ 'X-Version': z.int().optional(), 'X-Parts': z.array(z.int()).optional() }),
    cookies: z.object({ theme: z.enum(['light', 'dark']).optional(), visits: z.int().optional() }),
  },
  order: {
    body: z.object({
      id: z.int().optional().meta({ readOnly: true }),
      customer: z.string().min(1).max(40),
      gift: z.boolean().default(false),
      note: z.string().nullable().optional(),
      due: z.date().optional(),
      lines: z
        .array(
          z.object({
            id: z.int().meta({ readOnly: true }).optional(),
            article: z.string().regex(/^[a-z]+$/),
            quantity: z.int().min(1).max(100),
          }),
        )
        .min(1)
        .max(3),
      address: z
        .object({ city: z.string(), geo: z.object({ lat: z.number(), lon: z.number() }).optional() })
        .optional(),
      options: z.strictObject({ express: z.boolean().optional() }).optional(),
    }),
  },
  sized: {
    query: z.discriminatedUnion('by', [
      z.object({ by: z.literal('page'), size: z.union([z.int(), z.literal('auto')]) }),
      z.object({ by: z.literal('name'), size: z.string() }),
    ]),
  },
}

const valibotId = v.optional(v.pipe(v.number(), v.integer(), v.metadata({ readOnly: true })))
const whole = v.pipe(v.number(), v.integer())

const withValibot: Declared = {
  book: {
    params: v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    query: v.object({
      page: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 1),
      ratio: v.optional(v.number()),
      all: v.optional(v.boolean()),
      tags: v.optional(v.pipe(v.array(v.string()), v.maxLength(3))),
      ids: v.optional(v.array(whole)),
      sort: v.optional(v.picklist(['title', '-title'])),
      level: v.optional(v.picklist([1, 2, 3])),
      since: v.optional(v.date()),
      q: v.optional(v.pipe(v.string(), v.maxLength(20))),
    }),
    headers: v.object({ 'X-Version': v.optional(whole), 'X-Parts': v.optional(v.array(whole)) }),
    cookies: v.object({ theme: v.optional(v.picklist(['light', 'dark'])), visits: v.optional(whole) }),
  },
  order: {
    body: v.object({
      id: valibotId,
      customer: v.pipe(v.string(), v.minLength(1), v.maxLength(40)),
      gift: v.optional(v.boolean(), false),
      note: v.optional(v.nullable(v.string())),
      due: v.optional(v.date()),
      lines: v.pipe(
        v.array(
          v.object({
            id: valibotId,
            article: v.pipe(v.string(), v.regex(/^[a-z]+$/)),
            quantity: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
          }),
        ),
        v.minLength(1),
        v.maxLength(3),
      ),
      address: v.optional(
        v.object({ city: v.string(), geo: v.optional(v.object({ lat: v.number(), lon: v.number() })) }),
      ),
      options: v.optional(v.strictObject({ express: v.optional(v.boolean()) })),
    }),
  },
  sized: {
    query: v.variant('by', [
      v.object({ by: v.literal('page'), size: v.union([whole, v.literal('auto')]) }),
      v.object({ by: v.literal('name'), size: v.string() }),
    ]),
  },
}

const withArktype: Declared = {
  book: {
    params: type({ id: 'number.integer >= 1' }),
    query: type({
      page: '1 <= number.integer <= 1000 = 1',
      'ratio?': 'number',
      'all?': 'boolean',
      'tags?': 'string[] <= 3',
      'ids?': 'number.integer[]',
      'sort?': "'title' | '-title'",
      'level?': '1 | 2 | 3',
      'since?': 'Date',
      'q?': 'string <= 20',
    }),
    headers: type({ 'X-Version?': 'number.integer', 'X-Parts?': 'number.integer[]' }),
    cookies: type({ 'theme?': "'light' | 'dark'", 'visits?': 'number.integer' }),
  },
  order: {
    // arktype has no readOnly; what is not declared goes as well.
    body: type({
      customer: '1 <= string <= 40',
      gift: 'boolean = false',
      'note?': 'string | null',
      'due?': 'Date',
      lines: type({ article: /^[a-z]+$/, quantity: '1 <= number.integer <= 100' })
        .array()
        .atLeastLength(1)
        .atMostLength(3),
      'address?': { city: 'string', 'geo?': { lat: 'number', lon: 'number' } },
      'options?': { 'express?': 'boolean', '+': 'reject' },
    }),
  },
  sized: {
    query: type({ by: "'page'", size: "number.integer | 'auto'" }).or({ by: "'name'", size: 'string' }),
  },
}

const integer = { type: 'integer' }
const string = { type: 'string' }

const withAjv: Declared = {
  book: {
    params: { type: 'object', properties: { id: { type: 'integer', minimum: 1 } }, required: ['id'] },
    query: {
      type: 'object',
      properties: {
        page: { type: 'integer', minimum: 1, maximum: 1000, default: 1 },
        ratio: { type: 'number' },
        all: { type: 'boolean' },
        tags: { type: 'array', items: string, maxItems: 3 },
        ids: { type: 'array', items: { $ref: '#/$defs/id' } },
        sort: { enum: ['title', '-title'] },
        level: { enum: [1, 2, 3] },
        since: { type: 'string', format: 'date-time' },
        q: { type: 'string', maxLength: 20 },
      },
      $defs: { id: integer },
    },
    headers: {
      type: 'object',
      properties: { 'X-Version': integer, 'X-Parts': { type: 'array', items: integer } },
    },
    cookies: { type: 'object', properties: { theme: { enum: ['light', 'dark'] }, visits: integer } },
  },
  order: {
    body: {
      type: 'object',
      required: ['id', 'customer', 'lines'],
      properties: {
        id: { type: 'integer', readOnly: true },
        customer: { type: 'string', minLength: 1, maxLength: 40 },
        gift: { type: 'boolean', default: false },
        note: { type: ['string', 'null'] },
        due: { type: 'string', format: 'date-time' },
        lines: { type: 'array', minItems: 1, maxItems: 3, items: { $ref: '#/$defs/line' } },
        address: {
          allOf: [
            { type: 'object', properties: { city: string }, required: ['city'] },
            {
              properties: {
                geo: {
                  type: 'object',
                  properties: { lat: { type: 'number' }, lon: { type: 'number' } },
                  required: ['lat', 'lon'],
                },
              },
            },
          ],
        },
        options: { type: 'object', properties: { express: { type: 'boolean' } }, additionalProperties: false },
      },
      $defs: {
        line: {
          type: 'object',
          required: ['id', 'article', 'quantity'],
          properties: {
            id: { type: 'integer', readOnly: true },
            article: { type: 'string', pattern: '^[a-z]+$' },
            quantity: { type: 'integer', minimum: 1, maximum: 100 },
          },
        },
      },
    },
  },
  sized: {
    query: {
      oneOf: [
        {
          type: 'object',
          properties: { by: { const: 'page' }, size: { anyOf: [integer, { const: 'auto' }] } },
          required: ['by', 'size'],
        },
        { type: 'object', properties: { by: { const: 'name' }, size: string }, required: ['by', 'size'] },
      ],
    },
  },
}

function app({ book, order, sized }: Declared): Kolba {
  const app = kolba()
  const given = (ctx: { input: unknown }) => ({ input: ctx.input })
  app.get('/books/:id', input(book), given)
  app.post('/orders', input(order), given)
  app.get('/sized', input(sized), given)
  return app
}

export type Library = 'kolba' | 'zod' | 'valibot' | 'arktype' | 'ajv'

export const apis: Readonly<Record<Library, Kolba>> = {
  kolba: app(withKolba),
  zod: app(withZod),
  valibot: app(withValibot),
  arktype: app(withArktype),
  ajv: app(withAjv),
}
