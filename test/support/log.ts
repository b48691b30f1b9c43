import type { Logger } from 'kolba'

/** What an app logs as an error: the fields, with the message beside them. */
export interface Line {
  message: string | undefined
  err: Error
  requestId: string
  method: string
  path: string
}

/** A logger that keeps the errors, to be looked at. */
export function keepErrors(): { logger: Logger; errors: Line[] } {
  const errors: Line[] = []
  const ignore = () => {}
  const error = (fields: object, message?: string) => errors.push({ ...(fields as Line), message })
  return { logger: { info: ignore, warn: ignore, error }, errors }
}
