import { type Awaitable, problem, when } from '../../src/index.ts'
import { converter, pointerOf, prepareSchema, pruner, readRefs } from '../../src/schema/index.ts'

/** A schema of what is patched, made ready once. */
export interface Result {
  /** What a client may see of a value: nothing that is not declared, and nothing `writeOnly`. */
  readonly shown: (value: unknown) => unknown
  /** The patched value as the handler gets it. @throws Problem 422 with every fault */
  readonly check: (value: unknown) => Awaitable<unknown>
}

/** @throws TypeError for what is no schema */
export function prepareResult(where: string, schema: unknown): Result {
  const prepared = prepareSchema(`${where} schema`, schema)
  const json = prepared.json.input
  const refs = json ? readRefs(`${where} schema`, json) : new Map()
  const dates = json ? converter(json, refs, { text: false }) : same
  const prune = json ? pruner(json, refs, 'readOnly') : same
  return {
    shown: json ? pruner(json, refs, 'writeOnly') : same,
    check: value =>
      when(prepared.check(prune(dates(value))), ({ faults, ...checked }) => {
        if (!faults) return (checked as { value: unknown }).value
        const errors = faults.map(({ path, message: detail }) => ({ in: 'patched', pointer: pointerOf(path), detail }))
        const some = errors.length === 1 ? 'One thing does' : `${errors.length} things do`
        throw problem(422, { detail: `${some} not fit in what the patch makes. See errors.`, errors })
      }),
  }
}

const same = (value: unknown) => value
