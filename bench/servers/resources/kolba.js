import { kolba } from 'kolba'
import { answer, routes } from '../../shared/routes.js'

export const title = 'kolba'
export const packages = ['kolba']

const app = kolba()

for (const route of routes()) app.route(route.method, route.path, ctx => answer(route, ctx.params))

export default app.listen(0)
