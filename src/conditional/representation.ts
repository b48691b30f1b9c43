import type { BaseContext } from '../context.ts'

/**
 * The text of a tag for the representation that was chosen, `ctx.representation`, and the language, `ctx.language`, whose
 * names stand behind semicolons: each has a tag of its own (RFC 9110 section 8.8.3.3).
 */
export function forRepresentation(opaque: string, ctx: BaseContext): string {
  const { representation, language } = ctx as { representation?: unknown; language?: unknown }
  return opaque + behind(representation) + behind(language)
}

function behind(name: unknown): string {
  return typeof name === 'string' ? `;${encodeForTag(name)}` : ''
}

/** What no tag can hold, and the semicolon that is ours, is percent-encoded. */
export function encodeForTag(text: string): string {
  return text.toWellFormed().replace(/[^\x21\x23\x24\x26-\x3a\x3c-\x7e]+/g, encodeURIComponent)
}
