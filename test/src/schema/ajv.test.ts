import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { compileJsonSchema } from '../../../src/schema/ajv.ts'
import { repository } from '../../support/vectors.ts'

// The required cases of the JSON Schema Test Suite, 2020-12, through ajv as input() has it.

const FOLDER = join(repository(import.meta.dirname), '../shared/vectors/json-schema-2020-12')

/** What is refused when a schema is registered, where the suite wants it to be compiled. */
const REFUSED: [reason: string, message: RegExp][] = [
  ['strict: a keyword that does nothing is a mistake', /strict mode: "\w+" (?:without|== 0 without|> "\w+")/],
  ['strict: a format that is not known would not be checked', /unknown format "[\w-]+" ignored/],
  ['ajv: an enum has values', /enum must have non-empty array/],
  ['ajv: $dynamicRef by fragment only', /"\$dynamicRef" only supports hash fragment reference/],
  ['ajv: nested relative URIs', /Maximum call stack size exceeded/],
  [
    'ajv: a document is known by its $id, and not by where it was found',
    /can't resolve reference .*different-id|can't resolve reference .*urn-ref/,
  ],
]

/** What is answered in another way than the suite wants. */
const OTHERWISE: [reason: string, cases: RegExp][] = [
  ['formats are asserted', /^format: .* is only an annotation by default$/],
  ['defaults are filled in, and must then fit', /^default: /],
  ['ajv: it knows one vocabulary', /^vocabulary: schema that uses custom metaschema/],
  ['ajv: the dynamic scope', /^dynamicRef: |with \$dynamicRef: /],
  ['ajv: a property __proto__; no body with one gets here', /^properties: .*: __proto__ not valid$/],
  [
    'ajv: what nested items and contains have evaluated',
    /^unevaluatedItems: unevaluatedItems (?:with nested items|depends on)/,
  ],
  ['ajv: what an if without a then has evaluated', /^unevaluatedProperties: .* then not defined: /],
]

interface Group {
  readonly description: string
  readonly schema: object | boolean
  readonly tests: readonly { description: string; data: unknown; valid: boolean }[]
}

const files = listed(join(FOLDER, 'tests'))

if (files.length === 0 && !process.env.KOLBA_REQUIRE?.includes('vectors'))
  test.skip('a JSON Schema answers as the test suite does (skipped: there is no ../shared/vectors)', t => t.pass())
else
  test('a JSON Schema answers as the test suite does, but for what is named here', t => {
    const remotes = readRemotes(join(FOLDER, 'remotes'), 'http://localhost:1234/')
    const seen = new Set<string>()
    let right = 0
    for (const file of files) {
      for (const { description, schema, tests } of JSON.parse(
        readFileSync(join(FOLDER, 'tests', file), 'utf8'),
      ) as Group[]) {
        if (typeof schema === 'boolean') continue
        const title = `${file.replace('.json', '')}: ${description}`
        const others = JSON.stringify(schema).includes('localhost:1234') ? remotes : []
        const check = attempt(() => compileJsonSchema('the schema', schema as never, others))
        if (check instanceof Error) {
          const reason = REFUSED.find(([, message]) => message.test(check.message))?.[0]
          t.truthy(reason, `${title}: ${check.message}`)
          seen.add(String(reason))
          continue
        }
        for (const { description, data, valid } of tests) {
          const result = attempt(() => !check(structuredClone(data)).faults)
          const reason = OTHERWISE.find(([, cases]) => cases.test(`${title}: ${description}`))?.[0]
          if (result === valid) right += 1
          else t.truthy(reason, `${title}: ${description}`)
          if (result !== valid) seen.add(String(reason))
        }
      }
    }
    t.true(right > 1100, `${right} are right`)
    // A reason that no case needs any more goes from the lists above.
    t.deepEqual(
      [...REFUSED, ...OTHERWISE].map(([reason]) => reason).filter(reason => !seen.has(reason)),
      [],
    )
  })

function listed(folder: string): string[] {
  const names = attempt(() => readdirSync(folder))
  return names instanceof Error ? [] : names.filter(name => name.endsWith('.json'))
}

function readRemotes(folder: string, url: string): Record<string, unknown>[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(({ name }) => {
    // Those of other drafts are not referred to.
    if (/^(?:draft(?!2020)|v1)/.test(name)) return []
    if (!name.endsWith('.json')) return readRemotes(join(folder, name), `${url}${name}/`)
    const document = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    if (typeof document !== 'object' || String(document.$schema).includes('/v1')) return []
    return { $id: url + name, ...document }
  })
}

function attempt<T>(run: () => T): T | Error {
  try {
    return run()
  } catch (error) {
    return error as Error
  }
}
