import { scryptSync } from 'node:crypto'
import test from 'ava'
import { hashPassword, hashToken, isSecretToken, needsRehash, secretToken, verifyPassword } from 'kolba/auth'

const cheap = { cost: 14 }

test('hashPassword() gives what verifyPassword() takes, another one each time', async t => {
  const one = await hashPassword('correct horse', cheap)
  const two = await hashPassword('correct horse', cheap)
  t.regex(one, /^\$scrypt\$ln=14,r=8,p=5\$[\w+/]{22}\$[\w+/]{43}$/)
  t.not(one, two)
  t.true(await verifyPassword('correct horse', one, cheap))
  t.true(await verifyPassword('correct horse', two, cheap))
  for (const wrong of ['', 'correct horsf', 'Correct horse', 'correct horse ', one])
    t.false(await verifyPassword(wrong, one, cheap))
})

test('hashPassword() is scrypt with the parameters that it says', async t => {
  const [, , , salt = '', key = ''] = (await hashPassword('pass', cheap)).split('$')
  const expected = scryptSync('pass', Buffer.from(salt, 'base64'), 32, { N: 2 ** 14, r: 8, p: 5, maxmem: 2 ** 26 })
  t.is(key, expected.toString('base64').replace('=', ''))
  t.regex(await hashPassword('pass'), /^\$scrypt\$ln=15,r=8,p=3\$/)
})

test('verifyPassword() takes a hash of another cost, and needsRehash() says that it is one', async t => {
  const old = await hashPassword('x', cheap)
  t.true(await verifyPassword('x', old))
  t.false(await verifyPassword('y', old))
  t.true(needsRehash(old))
  t.false(needsRehash(old, cheap))
  t.true(needsRehash(old.replace('p=5', 'p=6'), cheap))
})

test('verifyPassword() takes an accent that is typed in two ways as one', async t => {
  const hash = await hashPassword('cafe\u0301', cheap)
  t.true(await verifyPassword('caf\u00e9', hash, cheap))
  t.false(await verifyPassword('cafe', hash, cheap))
})

test('verifyPassword() does the same work where there is no hash, and says no to every password', async t => {
  for (const nothing of [undefined, null]) {
    t.false(await verifyPassword('x', nothing, cheap))
    t.false(await verifyPassword('', nothing, cheap))
  }
})

test('hashPassword() refuses more than 1,024 bytes with 422, and verifyPassword() without any work', async t => {
  await t.throwsAsync(hashPassword('x'.repeat(1025)), { message: 'A password has at most 1,024 bytes.' })
  const error = (await t.throwsAsync(hashPassword('\u00e9'.repeat(600)))) as Error & { status: number }
  t.is(error.status, 422)
  t.regex(await hashPassword('x'.repeat(1024), cheap), /^\$scrypt/)
  const hash = await hashPassword('x', cheap)
  t.false(await verifyPassword('x'.repeat(10_000_000), hash, cheap))
})

test('verifyPassword() and needsRehash() refuse what hashPassword() did not give, and do not repeat it', async t => {
  const hash = await hashPassword('x', cheap)
  const wrong = [
    '',
    'x',
    hash.slice(1),
    hash.slice(0, -1),
    `${hash}A`,
    hash.replace('ln=14', 'ln=30'),
    hash.replace('ln=14', 'ln=0'),
    hash.replace('r=8', 'r=99'),
    hash.replace('r=8', 'r=0'),
    hash.replace('p=5', 'p=17'),
    '$2b$10$abcdefghijklmnopqrstuv',
    '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA',
  ]
  const message = 'this is no hash of hashPassword(). Give what that returned.'
  for (const text of wrong) {
    await t.throwsAsync(verifyPassword('x', text), { instanceOf: TypeError, message: `verifyPassword: ${message}` })
    t.throws(() => needsRehash(text), { instanceOf: TypeError, message: `needsRehash: ${message}` })
  }
})

test('hashPassword() refuses a wrong cost, and what is no text', async t => {
  for (const cost of [13, 21, 15.5, '15', Number.NaN])
    await t.throwsAsync(hashPassword('x', { cost } as never), {
      instanceOf: TypeError,
      message: `hashPassword: the option cost is ${typeof cost === 'string' ? '"15"' : cost}. Give a whole number from 14 to 20.`,
    })
  const message = 'hashPassword: a password is a string. Check the body first.'
  for (const password of [undefined, null, 1, ['x'], {}]) {
    await t.throwsAsync(hashPassword(password as never), { instanceOf: TypeError, message })
    await t.throwsAsync(verifyPassword(password as never, undefined, cheap), { instanceOf: TypeError, message })
  }
})

test('secretToken() gives a token of 256 bits with its prefix and a checksum, and its hash', t => {
  const { token, hash } = secretToken('shop_live')
  t.regex(token, /^shop_live_[\w-]{49}$/)
  t.regex(hash, /^[\w-]{43}$/)
  t.is(hash, hashToken(token))
  t.true(isSecretToken('shop_live', token))
  t.is(new Set(Array.from({ length: 100 }, () => secretToken('x1').token)).size, 100)
  for (let index = 0; index < token.length; index += 1) {
    const other = token[index] === 'A' ? 'B' : 'A'
    t.false(isSecretToken('shop_live', token.slice(0, index) + other + token.slice(index + 1)), `${index}`)
  }
  for (const wrong of ['', token.slice(1), `${token}A`, token.toUpperCase(), undefined, 1, {}, [token]])
    t.false(isSecretToken('shop_live', wrong))
  t.false(isSecretToken('shop', token))
  for (const prefix of ['', 'x', 'Shop', '1a', 'a-b', 'x'.repeat(33)])
    t.throws(() => secretToken(prefix), {
      instanceOf: TypeError,
      message:
        'secretToken: give a prefix of 2 to 32 lower-case letters, digits and underscores, which begins with a letter.',
    })
})
