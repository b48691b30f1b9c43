import { type Decorator, kolba, stack } from 'kolba'
import { json } from 'kolba/json'
import { exempt, type OverloadOptions, overload } from 'kolba/overload'

const app = kolba()

// It adds nothing and needs nothing, wherever it stands.
app.use(overload())
app.get('/a/:id', overload({ limit: 20 }), json(), ctx => ctx.params.id)
app.get('/health', exempt(), () => 'ok')
const both: Decorator = overload({ delay: 0.1, utilisation: 0.9, heap: 0.8, retryAfter: 5 })
app.group('/b', stack(both, json())).get('/', ctx => ctx.path)
overload({ skip: ctx => ctx.get('X-Priority') === 'high' })
overload({ skip: async () => true }) // error: is not assignable to type 'boolean'
overload({ skip: ctx => ctx.user === 1 }) // error: 'user' does not exist
overload({ delay: '250ms' }) // error: is not assignable to type 'number'
overload({ limits: 20 }) // error: 'limits' does not exist
exempt('/health') // error: Expected 0 arguments
export const options: OverloadOptions = { limit: 1 }
