import type { BaseContext } from './context.ts'

/** A page about an error for a browser, made by youch where it is installed. Undefined for other clients. */
export async function debugPage(ctx: BaseContext, error: Error): Promise<string | undefined> {
  if (ctx.accepts('application/problem+json', 'json', 'html') !== 'html') return
  const youch = await import('youch').catch(() => undefined)
  if (!youch) return plainPage(error)
  const { method, url, headers } = ctx
  return new youch.Youch().toHTML(error, { request: { method, url, headers: headers as Record<string, string> } })
}

function plainPage(error: Error): string {
  const text = `${error.stack}\n\nnpm install --save-dev youch shows the failing line here.`
  return `<!doctype html><title>Error</title><pre>${text.replace(/[&<]/g, sign => (sign === '&' ? '&amp;' : '&lt;'))}</pre>`
}
