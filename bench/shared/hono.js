/** Hono says `application/json`; the others, and so the bytes to compare, say the charset too. */
export const jsonType = { 'Content-Type': 'application/json; charset=utf-8' }
