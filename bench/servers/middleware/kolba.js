import { kolba } from 'kolba'
import { middlewares } from '../../shared/timing.js'

export const title = 'kolba, app.use'
export const packages = ['kolba']

const app = kolba()

for (const middleware of middlewares) app.use(middleware)
app.get('/json', ctx => {
  ctx.set('X-By', ctx.state.by)
  return { hello: 'world' }
})

export default app.listen(0)
