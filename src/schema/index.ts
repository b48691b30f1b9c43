// What extensions need of schemas. It is not part of `kolba`, which loads none of it.

export { type Conversion, childOf, converter, listTaker } from './convert.ts'
export { readDate } from './iso-date.ts'
export { alternatives, declaredNames, type JsonObject, propertyOf, together } from './json-schema.ts'
export { embedded, type JsonSchemas, jsonSchemasOf } from './json-schema-of.ts'
export { typesOf } from './json-types.ts'
export { type Outgoing, prepareOutgoing } from './outgoing.ts'
export { pruner } from './prune.ts'
export { type Refs, readRefs } from './references.ts'
export {
  type AnySchema,
  type Checked,
  type Fault,
  type InputOf,
  type Keyed,
  type OutputOf,
  type PreparedSchema,
  prepareSchema,
  type SchemaRecord,
  stripsUndeclared,
} from './schema.ts'
export { isStandardSchema, pointerOf } from './standard-schema.ts'
