import { kolba } from 'kolba'

export const title = 'kolba'
export const packages = ['kolba']

const app = kolba()

app.get('/json', () => ({ hello: 'world' }))
app.get('/users/:id', ctx => ({ id: ctx.params.id }))

export default app.listen(0)
