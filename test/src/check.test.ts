import test from 'ava'
import { among, checkOptions, kinds, kolba } from 'kolba'

const refused = (message: string) => ({ instanceOf: TypeError, message })

const cases: [options: unknown, message: string][] = [
  [
    null,
    'kolba: the options are null. Give an object with debug, proxy, hosts, logger, timeouts, limits, signals, asyncLocalStorage, keys, env and subdomainOffset.',
  ],
  [
    [],
    'kolba: the options are a list. Give an object with debug, proxy, hosts, logger, timeouts, limits, signals, asyncLocalStorage, keys, env and subdomainOffset.',
  ],
  [
    { debgu: true },
    'kolba: the option "debgu" is unknown. It takes debug, proxy, hosts, logger, timeouts, limits, signals, asyncLocalStorage, keys, env and subdomainOffset.',
  ],
  [
    { constructor: true },
    'kolba: the option "constructor" is unknown. It takes debug, proxy, hosts, logger, timeouts, limits, signals, asyncLocalStorage, keys, env and subdomainOffset.',
  ],
  [{ debug: 'yes' }, 'kolba: the option debug is "yes". Give true or false.'],
  [{ debug: true, env: 'production' }, 'kolba: debug shows stacks to clients. Leave it out in production.'],
  [{ signals: 1 }, 'kolba: the option signals is 1. Give true or false.'],
  [
    { asyncLocalStorage: 'on' },
    'kolba: the option asyncLocalStorage is "on". Give true or false, or an AsyncLocalStorage.',
  ],
  [
    { proxy: true },
    "kolba: the option proxy is true. Give a list of addresses or CIDR ranges, ['10.0.0.0/8']; to believe every client is not offered.",
  ],
  [
    { proxy: ['10.0.0.0/99'] },
    "kolba: the option proxy is a list. Give a list of addresses or CIDR ranges, ['10.0.0.0/8']; to believe every client is not offered.",
  ],
  [{ hosts: 'a.example' }, 'kolba: the option hosts is "a.example". Give a list of non-empty strings.'],
  [{ hosts: [''] }, 'kolba: the option hosts is a list. Give a list of non-empty strings.'],
  [
    { logger: { info() {} } },
    'kolba: the option logger is an object. Give an object with the methods info, warn and error.',
  ],
  [{ keys: [5] }, 'kolba: the option keys is a list. Give a list of non-empty strings.'],
  [{ env: '' }, 'kolba: the option env is "". Give a non-empty string.'],
  [{ subdomainOffset: -1 }, 'kolba: the option subdomainOffset is -1. Give a whole number from 0.'],
  [{ timeouts: 5 }, 'kolba: the option timeouts is 5. Give an object.'],
  [
    { timeouts: { header: 5 } },
    'kolba timeouts: the option "header" is unknown. It takes headers, request, keepAlive, handler, stream and drain.',
  ],
  [{ timeouts: { handler: 0 } }, 'kolba timeouts: the option handler is 0. Give a number of seconds above 0.'],
  [{ timeouts: { handler: -1 } }, 'kolba timeouts: the option handler is -1. Give a number of seconds above 0.'],
  [
    { timeouts: { handler: Number.NaN } },
    'kolba timeouts: the option handler is NaN. Give a number of seconds above 0.',
  ],
  [
    { timeouts: { handler: Number.POSITIVE_INFINITY } },
    'kolba timeouts: the option handler is Infinity. Give a number of seconds above 0.',
  ],
  [
    { timeouts: { handler: 2 ** 31 } },
    'kolba timeouts: the option handler is 2147483648. Give a number of seconds above 0.',
  ],
  [{ timeouts: { handler: '30' } }, 'kolba timeouts: the option handler is "30". Give a number of seconds above 0.'],
  [{ limits: [] }, 'kolba limits: the options are a list. Give an object with headerBytes, headers, url and body.'],
  [
    { limits: { bodies: 1 } },
    'kolba limits: the option "bodies" is unknown. It takes headerBytes, headers, url and body.',
  ],
  [{ limits: { body: 0 } }, 'kolba limits: the option body is 0. Give a whole number of bytes from 1.'],
  [{ limits: { body: -1 } }, 'kolba limits: the option body is -1. Give a whole number of bytes from 1.'],
  [{ limits: { body: 1.5 } }, 'kolba limits: the option body is 1.5. Give a whole number of bytes from 1.'],
  [{ limits: { body: Number.NaN } }, 'kolba limits: the option body is NaN. Give a whole number of bytes from 1.'],
  [
    { limits: { body: Number.POSITIVE_INFINITY } },
    'kolba limits: the option body is Infinity. Give a whole number of bytes from 1.',
  ],
  [{ limits: { body: 10n } }, 'kolba limits: the option body is 10. Give a whole number of bytes from 1.'],
  [{ limits: { body: '1mb' } }, 'kolba limits: the option body is "1mb". Give a whole number of bytes from 1.'],
]
cases.forEach(([options, message], index) => {
  test(`kolba() refuses options, ${index + 1}: ${message.slice(0, 60)}`, t => {
    t.throws(() => kolba(options as never), refused(message))
  })
})

test('kolba() takes an option that is undefined as one that is not given', t => {
  const app = kolba({ debug: undefined, timeouts: { handler: undefined } } as never)
  t.is(app.settings.debug, false)
  t.is(app.settings.timeouts.handler, 30)
})

test('checkOptions() shows what was given and what it takes', t => {
  const check = (options: unknown) => () =>
    checkOptions('paint', options, { color: among('red', 'blue', 3), size: kinds.seconds })
  t.notThrows(check({ color: 'red', size: 1 }))
  t.notThrows(check(undefined))
  t.throws(check({ color: 'green' }), refused('paint: the option color is "green". Give one of "red", "blue" and 3.'))
  t.throws(
    check({ size: function big() {} }),
    refused('paint: the option size is the function big. Give a number of seconds above 0.'),
  )
  t.throws(
    check({ size: Symbol('s') }),
    refused('paint: the option size is Symbol(s). Give a number of seconds above 0.'),
  )
  t.throws(check('x'), refused('paint: the options are "x". Give an object with color and size.'))
})
