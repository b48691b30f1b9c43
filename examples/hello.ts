import { kolba } from 'kolba'

export const app = kolba()
app.get('/hello/:name', ctx => `Hello, ${ctx.params.name}!`)
if (import.meta.filename === process.argv[1]) app.listen(3000)
