import test from 'ava'
import { readMediaType } from 'kolba'
import { testVectors } from '../support/vectors.ts'

function read(header: string) {
  const found = readMediaType(header)
  return found && { type: found.type, parameters: Object.fromEntries(found.parameters) }
}

test('readMediaType() reads a type in lower case, with its parameters', t => {
  t.deepEqual(read('Text/HTML;Charset="utf-8"; a=B'), { type: 'text/html', parameters: { charset: 'utf-8', a: 'B' } })
  t.deepEqual(read('\tapplication/vnd.api+json \t'), { type: 'application/vnd.api+json', parameters: {} })
})

test('readMediaType() takes quoted pairs apart', t => {
  t.is(readMediaType('a/b; c="\\"d\\\\; e=f"')?.parameters.get('c'), '"d\\; e=f')
})

for (const header of [
  '',
  ' ',
  'text',
  'text/',
  '/plain',
  'text/plain/x',
  'text /plain',
  'text/plain, text/html',
  'text/plain x',
  'text/plain; a',
  'text/plain; a=',
  'text/plain; a =b',
  'text/plain; a= b',
  'text/plain; a="b',
  'text/plain; a="b"c',
  'text/plain; a="\n"',
  'text/plain; a="\x7f"',
  'text/plain; a=b; A=c',
  'text/plain\r\n',
  'application/json\0',
  'application/jsοn',
]) {
  test(`readMediaType() refuses ${JSON.stringify(header)}`, t => t.is(read(header), undefined))
}

test('readMediaType() is as quick with a long header that is nearly right', t => {
  const start = performance.now()
  for (const part of [';', '; ', ' ', '; a="\\"', '; a=b', '\t;\t']) readMediaType(`a/b${part.repeat(16_384)}"`)
  t.true(performance.now() - start < 1000)
})

test('readMediaType() starts anew for each header, after a malformed one too', t => {
  t.is(read('a/b; c=d; e'), undefined)
  t.deepEqual(read('a/b; c=d'), { type: 'a/b', parameters: { c: 'd' } })
})

/** Where these vectors record a lenient parser and we are strict, with the section of RFC 9110 that we follow. */
const STRICT: Record<string, string> = {
  '': '8.3.1: a media type has a type and a subtype',
  ' ': '8.3.1: a media type has a type and a subtype',
  null: '8.3.1: a media type has a type and a subtype',
  undefined: '8.3.1: a media type has a type and a subtype',
  '/': '5.6.2: a token has at least one character',
  'text / plain': '8.3.1: no space around the slash',
  'text/"plain"': '5.6.2: no quote in a token',
  'text/p£ain': '5.6.2: a token is of ASCII',
  'text/(plain)': '5.6.2: no parenthesis in a token',
  'text/@plain': '5.6.2: no @ in a token',
  'text/plain,wrong': '5.6.2: no comma in a token, and 8.3: Content-Type is no list',
  'text/html, application/json': '5.6.2: no comma in a token, and 8.3: Content-Type is no list',
  'text/html; charset=': '5.6.6: a value is a token or a quoted string, and a token is not empty',
  'text/html; charset= ': '5.6.6: a value is a token or a quoted string, and a token is not empty',
  'text/html; charset = utf-8': '5.6.6: no space around the equals sign',
  'text/html; charset = "UT\\F-\\\\\\"8\\""': '5.6.6: no space around the equals sign',
  'text/plain; foo="bar': '5.6.4: a quoted string is closed',
  'text/plain; foo="bar\\': '5.6.4: a quoted string is closed',
  'text/plain; foo="bar"baz': '5.6.6: a semicolon stands between parameters',
  'text/plain; foo="bar"baz; charset=utf-8': '5.6.6: a semicolon stands between parameters',
  'text/plain; foo=bar"baz': '5.6.2: no quote in a token',
  'text/plain; foo=bar=baz': '5.6.2: no equals sign in a token',
  'text/html; charset=utf-8; charset=iso-8859-1': '5.6.6 leaves two of a name open: two readers may differ',
  'text/html; Charset=utf-8; charset=iso-8859-1': '5.6.6 leaves two of a name open: two readers may differ',
  'text/html; Charset="utf-8"; charset="iso-8859-1"': '5.6.6 leaves two of a name open: two readers may differ',
}

interface Case {
  fn: string
  args: [header: string, options?: object]
  result: { type: string; parameters: Record<string, string> }
}

testVectors(
  'readMediaType() reads what content-type reads, or refuses it for a reason in RFC 9110',
  'content-negotiation/content-type-parse.json',
  (t, text) => {
    const cases = (JSON.parse(text) as Case[]).filter(({ fn, args }) => fn === 'parse' && args.length === 1)
    t.is(cases.length, 37)
    for (const { args, result } of cases) {
      const [header] = args
      const expected = header in STRICT ? undefined : { type: result.type, parameters: result.parameters }
      t.deepEqual(read(header), expected, `${header}: ${STRICT[header] ?? 'is fine'}`)
    }
    t.deepEqual(
      Object.keys(STRICT).filter(header => !cases.some(({ args }) => args[0] === header)),
      [],
    )
  },
)
