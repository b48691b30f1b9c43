import { classicStyle } from './classic.ts'
import { defaultStyle } from './default.ts'
import { jsonServerStyle } from './json-server.ts'
import { jsonapiStyle } from './jsonapi.ts'
import { reactAdminStyle } from './react-admin.ts'
import type { Style } from './terms.ts'

/** The languages in which a URL may ask. */
export type StyleName = 'default' | 'classic' | 'jsonapi' | 'react-admin' | 'json-server'

export const STYLES: ReadonlyMap<string, Style> = new Map(
  [defaultStyle, classicStyle, jsonapiStyle, reactAdminStyle, jsonServerStyle].map(style => [style.name, style]),
)
