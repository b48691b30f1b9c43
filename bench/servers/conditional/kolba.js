import { kolba } from 'kolba'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { document } from './document.js'

export const title = 'kolba'
export const packages = ['kolba']

const app = kolba()

app.get('/plain', json(), () => document)
app.get('/hash', etag(), json(), () => document)
app.get('/version', json(), etag({ version: row => row.version }), () => document)

export default app.listen(0)
