import type { Source } from '../types.ts'
import { arraySource } from './array.ts'
import { iterableSource } from './iterable.ts'
import { knexSource } from './knex.ts'
import { kyselySource } from './kysely.ts'

/** The sources that need no adapter, in the order in which they are asked. */
export const SOURCES: readonly Source<never>[] = [kyselySource, knexSource, arraySource, iterableSource]
