export { type ClientAddress, readAddress } from './address.ts'
export { Kolba, kolba } from './app.ts'
export { Bare, isBare } from './bare.ts'
export { Blueprint, blueprint } from './blueprint.ts'
export type { BodyOptions } from './body/body.ts'
export { isBytes } from './bytes.ts'
export { among, checkHook, checkOptions, type Kind, kinds, show } from './check.ts'
export type { Client, ClientOptions } from './client.ts'
export type { Awaitable, BaseContext, Context, Handler } from './context.ts'
export {
  type AddsOf,
  type AnyDecorator,
  type Around,
  type AroundContext,
  type Arounds,
  type Decorator,
  type DecoratorOptions,
  decorator,
  isDecorator,
  type Next,
  stack,
} from './decorator.ts'
export { isFixed, rememberFixed } from './fixed.ts'
export { traitsOf } from './fold.ts'
export { headerNamesOn } from './header-names.ts'
export type { Preferences } from './headers/preferences.ts'
export { type KeyPart, keyOf } from './key.ts'
export { lift, type Middleware } from './lift.ts'
export { type MediaType, readMediaType } from './media-type.ts'
export { del, get, head, options, patch, post, put, query, route } from './methods.ts'
export { prefixesOf } from './mount.ts'
export { isGuarded, nested } from './nested.ts'
export type { Overrides, Replaceable } from './overrides.ts'
export { type Path, type PathParams, readPath } from './path.ts'
export type { PerProcess } from './per-process.ts'
export { principalOf } from './principal.ts'
export { Problem, type ProblemMembers, problem } from './problem.ts'
export { believedHops, type IsProxy, proxiesIn } from './proxy.ts'
export { created, type Headers, noContent, Reply, redirect, reply, seeOther } from './reply.ts'
export { statusOf } from './respond.ts'
export { type JsonSchema, type Note, nameOf, type ResponseNote, type Route } from './route.ts'
export type { JsonObject } from './schema/json-schema.ts'
export type { AnySchema, InputOf, OutputOf, SchemaRecord } from './schema/schema.ts'
export type { KolbaOptions, Limits, Logger, Timeouts } from './settings.ts'
export { headerOn, isOverruled, responseOf, routedPath } from './shaped.ts'
export type { Query, UrlOf } from './url.ts'
export { unfinished } from './waiting.ts'
export { isResponse, isWebStream } from './web.ts'
export { isPromise, when } from './when.ts'
