import { z } from 'zod'

/** The order of W5, as a user of koa, express or hono writes it today. */
export const order = z.object({
  customer: z.string().min(1).max(80),
  email: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[^@ ]+@[^@ ]+$/),
  currency: z.enum(['EUR', 'USD', 'GBP']),
  lines: z
    .array(
      z.object({
        article: z.string().min(1).max(60),
        quantity: z.int().min(1).max(1000),
        gift: z.boolean().optional(),
        note: z.string().max(200).optional(),
      }),
    )
    .min(1)
    .max(50),
  comment: z.string().max(1000).optional(),
})
