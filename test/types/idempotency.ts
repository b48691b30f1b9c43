import { type Decorator, stack } from 'kolba'
import { idempotent, memoryStore, redisStore } from 'kolba/idempotency'
import { app, signedIn, type User } from './given.ts'
import { same } from './same.ts'

// It adds nothing, and takes nothing away.
app.post('/:id', signedIn, idempotent({ required: true }), ctx => `${ctx.params.id} ${ctx.user.name}`)
const once = idempotent({ required: true })
same<typeof once, Decorator>(true)

// What principal looks at has to be there above.
const own = idempotent({ principal: (ctx: { user: User }) => ctx.user.name })
app.post('/', signedIn, own, () => 1)
stack(signedIn, own)
app.post('/', own, () => 1) // error: 'user' is missing
idempotent({ principal: ctx => ctx.get('X-Tenant') })
idempotent({ principal: () => undefined }) // error: Type 'undefined' is not assignable

idempotent({ store: memoryStore({ max: 1 }) })
redisStore('redis://localhost') // error: not assignable
idempotent({ ttl: '1h' }) // error: Type 'string' is not assignable
