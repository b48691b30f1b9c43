export const title = '`GET /json`'

export const requests = [{ path: '/json', expect: '{"hello":"world"}' }]
