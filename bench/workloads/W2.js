export const title = '`GET /users/:id`'

export const requests = Array.from({ length: 100 }, (_, id) => ({ path: `/users/${id}`, expect: `{"id":"${id}"}` }))
