/** Cases that fail, under the reason: the ids of http-tests/cache-tests, with spaces between. */
export type Gaps = Readonly<Record<string, string>>

/** Where our answers are not those that the cases were made with, by case, and why. */
export const ours: Readonly<Record<string, readonly string[]>> = {
  // RFC 9110 section 8.6: a length that is known to be wrong is never sent.
  'headers-store-Content-Length': ['1: content-length is 36'],
  // RFC 9110 section 15.4.5: a 304 says nothing of the content but Content-Location.
  '304-etag-update-response-Content-Foo': ['2: content-foo is missing'],
  '304-etag-update-response-Content-Encoding': ['2: content-encoding is missing'],
  '304-etag-update-response-Content-Length': ['2: content-length is missing'],
  '304-etag-update-response-Content-MD5': ['2: content-md5 is missing'],
  '304-etag-update-response-Content-Range': ['2: content-range is missing'],
  '304-etag-update-response-Content-Type': ['2: content-type is missing'],
}

const both: Gaps = {
  'it is given the true length, and not the one of the case': 'headers-store-Content-Length',
  'it is no browser, which reloads': 'cc-resp-immutable-stale',
  'it keeps answers to GET alone': 'method-POST',
  'it does not know must-understand (RFC 9111 section 5.2.2.3)': 'status-200-must-understand',
  'it keeps no parts (RFC 9111 section 3.3)': `partial-store-partial-reuse-partial partial-store-partial-complete
    partial-store-partial-reuse-partial-absent partial-store-partial-reuse-partial-byterange
    partial-store-partial-reuse-partial-suffix partial-store-complete-reuse-partial
    partial-store-complete-reuse-partial-no-last partial-store-complete-reuse-partial-suffix`,
  'it leaves conditions of its client to the origin (RFC 9111 section 4.3.2)': `conditional-lm-fresh
    conditional-lm-fresh-earlier conditional-lm-fresh-no-lm conditional-lm-fresh-rfc850
    conditional-etag-strong-respond conditional-etag-weak-respond`,
  'it compares what Vary names as it stands (RFC 9111 section 4.1)': `vary-normalise-lang-order vary-normalise-lang-case
    vary-normalise-lang-space vary-normalise-lang-select vary-normalise-space`,
  'its answer has the fields from before the 304 (RFC 9111 section 3.2)': `304-etag-update-response-Test-Header
    304-etag-update-response-X-Test-Header 304-etag-update-response-Content-Foo
    304-etag-update-response-X-Content-Foo`,
  'it is no CDN (RFC 9213)': `cdn-max-age cdn-max-age-max cdn-max-age-max-plus cdn-private cdn-no-cache
    cdn-no-store-cc-fresh cdn-fresh-cc-nostore`,
}

/** undici forgets what was fresh for a second at the time that a pause takes, a little before its end or after it. */
export const byTheClock: ReadonlySet<string> = new Set([
  'conditional-etag-vary-headers',
  '304-etag-update-response-Cache-Control',
])

export const undici: Gaps = {
  ...both,
  'it forgets what was fresh for a second': [...byTheClock].join(' '),
  'it is a shared cache': `freshness-max-age-s-maxage-private freshness-max-age-s-maxage-private-multiple
    cc-resp-private-private`,
  'an Age that it cannot read makes an answer stale (RFC 9111 section 5.1)': `age-parse-nonnumeric age-parse-negative
    age-parse-float age-parse-prefix age-parse-prefix-twoline age-parse-dup-0 age-parse-dup-0-twoline
    age-parse-dup-old`,
  'it reads no date of asctime, or in other letter case (RFC 9110 section 5.6.7)': `freshness-expires-ansi-c
    freshness-expires-wrong-case-weekday freshness-expires-wrong-case-month freshness-expires-wrong-case-tz`,
  'it does not join the lines of a request field (RFC 9111 section 4.1)': 'vary-normalise-combine',
  'it answers 200 where the client has what was found valid (RFC 9111 section 4.3.2)': 'conditional-lm-stale',
  'it forgets what it has at a 304 with Cache-Control': '304-etag-update-response-Content-Length',
  'it keeps nothing that sets a cookie': 'headers-store-Set-Cookie other-set-cookie',
}

export const makeFetchHappen: Gaps = {
  ...both,
  'it is a private cache': `freshness-s-maxage-shared cc-resp-private-shared other-authorization
    stale-close-proxy-revalidate stale-close-s-maxage=2`,
  'it keeps answers of 200, 301 and 308 alone': `heuristic-203-cached heuristic-204-cached heuristic-404-cached
    heuristic-405-cached heuristic-410-cached heuristic-414-cached heuristic-501-cached heuristic-599-cached
    status-203-fresh status-204-fresh status-299-fresh status-302-fresh status-303-fresh status-307-fresh
    status-400-fresh status-404-fresh status-410-fresh status-499-fresh status-500-fresh status-502-fresh
    status-503-fresh status-504-fresh status-599-fresh`,
  'it drops the body of a redirect': 'status-301-fresh status-308-fresh',
  'its directives are of lower case (RFC 9111 section 5.2)': `freshness-max-age-case-insenstive
    cc-resp-no-cache-case-insensitive`,
  'it counts an Age of 7200.0 (RFC 9111 section 5.1)': 'age-parse-float',
  'its dates are those of Date.parse (RFC 9110 section 5.6.7)': `freshness-expires-rfc850
    freshness-expires-invalid-utc freshness-expires-invalid-no-comma freshness-expires-invalid-multiple-spaces
    freshness-expires-invalid-date-dashes freshness-expires-invalid-1-digit-hour
    freshness-expires-invalid-multiple-lines`,
  'it validates what has must-revalidate each time (RFC 9111 section 5.2.2.2)': `cc-resp-must-revalidate-fresh
    cc-resp-must-revalidate-stale`,
  'it gives what has no-cache where the origin is gone (RFC 9111 section 5.2.2.4)': 'stale-close-no-cache',
  'it fails where a 504 was to be sent (RFC 9111 section 5.2.2.2)': 'stale-close-must-revalidate',
  'it does not know stale-while-revalidate (RFC 5861)': 'stale-while-revalidate',
  'it keeps one answer for all values of a field that Vary names': 'vary-invalidate',
  'it cannot read an empty member of Vary (RFC 9110 section 5.6.1)': `vary-syntax-empty-star
    vary-syntax-empty-star-lines`,
  'it keeps the fields of a connection that it was told to keep': `headers-store-Proxy-Authentication-Info
    headers-store-Proxy-Connection`,
  'its answer has the Cache-Control from before the 304': '304-etag-update-response-Cache-Control',
  'it sets Date anew (RFC 9111 section 3.2)': 'other-date-update other-date-update-expires',
  'it does not pass interim answers on (RFC 9110 section 15.2)': `interim-102 interim-103 interim-not-cached
    interim-no-header-reuse`,
}
