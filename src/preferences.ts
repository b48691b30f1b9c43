/**
 * What a client prefers, RFC 7240: `ctx.prefer` below `prefer()` of kolba/prefer. What heeds a preference looks there,
 * and says so with `applied()`.
 */
export interface Preferences {
  /** What a write should answer with: next to nothing, or the resource as it is now. Section 4.2. */
  readonly return?: 'minimal' | 'representation' | undefined
  /** What becomes of a request that has mistakes one can live with. Section 4.4. */
  readonly handling?: 'strict' | 'lenient' | undefined
  /** How long the client waits for an answer before it would rather have a 202, in seconds. Section 4.3. */
  readonly wait?: number | undefined
  /** Would it rather have a 202 at once than wait for the result? Section 4.1. */
  readonly respondAsync: boolean
  /** Any preference by its name, in any case: its value, true where it has none, undefined where it was not sent. */
  get(name: string): string | true | undefined
  /** Says in `Preference-Applied` that this preference was heeded. One that was not sent is not said. */
  applied(name: string): void
}
