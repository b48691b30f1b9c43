// The cast of the fragments in the documents: names that a fragment asks for with `<!-- with: ctx -->` above it.
import type { Context, Next } from 'kolba'

export interface Book {
  id: number
  title: string
}

export const books = new Map<number, Book>([[1, { id: 1, title: 'Emma' }]])

export const handler = () => [...books.values()]

// A fragment that asks for one of these is the inside of a handler or decorator: it is checked, and not run.
export const ctx = undefined as unknown as Context
export const next = undefined as unknown as Next
