export const title = '`GET /json` behind three middlewares of the framework’s own kind'

export const servers = 'servers/middleware'

export const requests = [
  {
    path: '/json',
    expect: '{"hello":"world"}',
    expectHeaders: { 'x-content-type-options': 'nosniff', 'x-by': 'bench' },
  },
]
