import { type } from 'arktype'
import type { AnySchema } from 'kolba'
import {
  date,
  flag,
  float,
  int,
  list,
  nullable,
  object,
  oneOf,
  optional,
  readOnly,
  text,
  writeOnly,
} from 'kolba/schema'
import * as v from 'valibot'
import { z } from 'zod'
import type { Library } from './five-apis.ts'

// One order as it leaves, and a payment that is one of two kinds, declared with each of the libraries.

interface Declared {
  readonly order: AnySchema
  /** There are no unions in kolba/schema. */
  readonly payment?: AnySchema
}

const hidden = z.string().meta({ writeOnly: true })
const hiddenText = v.pipe(v.string(), v.metadata({ writeOnly: true }))
const string = { type: 'string' }
const secret = { type: 'string', writeOnly: true }

export const outputs: Readonly<Record<Library, Declared>> = {
  kolba: {
    order: object({
      id: readOnly(int()),
      customer: object({ name: text(), password: writeOnly(text()), pin: writeOnly(nullable(text())) }),
      state: oneOf('open', 'sent'),
      note: optional(nullable(text())),
      due: optional(date()),
      paid: optional(flag()),
      total: optional(float(), 0),
      lines: list(object({ article: text(), quantity: int({ min: 1 }) })),
    }),
  },
  zod: {
    order: z.object({
      id: z.int().meta({ readOnly: true }),
      customer: z.object({ name: z.string(), password: hidden, pin: hidden.nullable() }),
      state: z.enum(['open', 'sent']),
      note: z.string().nullable().optional(),
      due: z.date().optional(),
      paid: z.boolean().optional(),
      total: z.number().default(0),
      lines: z.array(z.object({ article: z.string(), quantity: z.int().min(1) })),
    }),
    payment: z.object({
      by: z.union([
        z.object({ card: z.string(), owner: z.object({ name: z.string() }) }),
        z.object({ iban: z.string(), owner: z.object({ bank: z.string() }) }),
        z.array(z.object({ coin: z.int() })),
      ]),
    }),
  },
  valibot: {
    order: v.object({
      id: v.pipe(v.number(), v.integer(), v.metadata({ readOnly: true })),
      customer: v.object({ name: v.string(), password: hiddenText, pin: v.nullable(hiddenText) }),
      state: v.picklist(['open', 'sent']),
      note: v.optional(v.nullable(v.string())),
      due: v.optional(v.date()),
      paid: v.optional(v.boolean()),
      total: v.optional(v.number(), 0),
      lines: v.array(v.object({ article: v.string(), quantity: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
    }),
    payment: v.object({
      by: v.union([
        v.object({ card: v.string(), owner: v.object({ name: v.string() }) }),
        v.object({ iban: v.string(), owner: v.object({ bank: v.string() }) }),
        v.array(v.object({ coin: v.number() })),
      ]),
    }),
  },
  arktype: {
    // arktype has no writeOnly; what is not declared goes as well.
    order: type({
      id: 'number.integer',
      customer: { name: 'string' },
      state: "'open' | 'sent'",
      'note?': 'string | null',
      'due?': 'Date',
      'paid?': 'boolean',
      total: 'number = 0',
      lines: type({ article: 'string', quantity: 'number.integer >= 1' }).array(),
    }),
    payment: type({
      by: type({ card: 'string', owner: { name: 'string' } })
        .or({ iban: 'string', owner: { bank: 'string' } })
        .or(type({ coin: 'number' }).array()),
    }),
  },
  ajv: {
    order: {
      type: 'object',
      required: ['id', 'customer', 'state', 'lines'],
      properties: {
        id: { type: 'integer', readOnly: true },
        customer: {
          type: 'object',
          required: ['name', 'password', 'pin'],
          properties: {
            name: string,
            password: { $ref: '#/$defs/secret' },
            pin: { anyOf: [secret, { type: 'null' }] },
          },
        },
        state: { enum: ['open', 'sent'] },
        note: { type: ['string', 'null'] },
        due: { type: 'string', format: 'date-time' },
        paid: { type: 'boolean' },
        total: { type: 'number', default: 0 },
        lines: {
          type: 'array',
          items: {
            type: 'object',
            required: ['article', 'quantity'],
            properties: { article: string, quantity: { type: 'integer', minimum: 1 } },
            additionalProperties: false,
          },
        },
      },
      $defs: { secret },
    },
    payment: {
      type: 'object',
      required: ['by'],
      properties: {
        by: {
          oneOf: [
            {
              type: 'object',
              required: ['card', 'owner'],
              properties: { card: string, owner: { type: 'object', required: ['name'], properties: { name: string } } },
            },
            {
              type: 'object',
              required: ['iban', 'owner'],
              properties: { iban: string, owner: { type: 'object', required: ['bank'], properties: { bank: string } } },
            },
            {
              type: 'array',
              items: { type: 'object', required: ['coin'], properties: { coin: { type: 'integer' } } },
            },
          ],
        },
      },
    },
  },
}
