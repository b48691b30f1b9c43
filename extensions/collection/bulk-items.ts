import { type Awaitable, problem } from '../../src/index.ts'
import {
  type Checked,
  converter,
  embedded,
  type Fault,
  type JsonObject,
  pointerOf,
  prepareSchema,
  pruner,
  readRefs,
} from '../../src/schema/index.ts'

/** The items of a list, as a schema has them. */
export interface Items {
  /** What an item is, as JSON Schema, to stand within another. */
  readonly json: JsonObject | undefined
  /** @throws Problem 422 */
  check(item: unknown, index: number): Awaitable<unknown>
  /** @throws Problem 422 with the faults of all */
  checkAll(list: readonly unknown[]): Promise<readonly unknown[]>
}

/** @throws TypeError for what is no schema */
export function prepareItems(where: string, schema: unknown): Items {
  if (schema === undefined) return { json: undefined, check: item => item, checkAll: async list => list }
  const { check, json, strips } = prepareSchema(where, schema)
  const refine = json.input ? refiner(where, json.input, strips) : (item: unknown) => item
  const checkAll = async (list: readonly unknown[], start = 0) => {
    const results: Checked[] = []
    // One after another: a schema that asks a database asks it for one at a time.
    for (const item of list) results.push(await check(refine(item)))
    const faults = results.flatMap(({ faults = [] }, index) => faults.map(it => say(it, start + index)))
    if (faults.length > 0) throw refusal(faults)
    return results.map(it => (it as { value: unknown }).value)
  }
  return {
    json: json.input && embedded(json.input),
    check: async (item, index) => (await checkAll([item], index))[0],
    checkAll,
  }
}

/** As `input()` has it: text that stands for a Date is one, and what is undeclared or `readOnly` goes. */
function refiner(where: string, json: JsonObject, strips: boolean): (item: unknown) => unknown {
  const refs = readRefs(where, json)
  const text = JSON.stringify(json)
  const dates = text.includes('"x-type":"Date"') ? converter(json, refs, { text: false }) : undefined
  const prune = strips && !text.includes('"readOnly":true') ? undefined : pruner(json, refs, 'readOnly')
  return item => {
    const typed = dates ? dates(item) : item
    return prune ? prune(typed) : typed
  }
}

function say({ path, message: detail }: Fault, index: number) {
  return { in: 'body', pointer: pointerOf([index, ...path]), detail }
}

function refusal(errors: readonly object[]) {
  const some = errors.length === 1 ? 'One thing in the request does' : `${errors.length} things in the request do`
  return problem(422, { detail: `${some} not fit. See errors.`, errors })
}
