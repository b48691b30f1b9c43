import { kolba } from 'kolba'
import { cacheControl, cached } from 'kolba/cache'
import { collection } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { table } from '../../shared/endpoint.js'
import { limited, list, rows, signedIn } from '../../shared/kolba.js'

export const title = 'kolba, `cached()` by the version of the data'
export const packages = ['kolba']

const app = kolba()
const privately = cacheControl({ private: true, maxAge: 60 })
const kept = cached({ version: () => table.version })

app.get('/products', signedIn, limited, privately, kept, etag(), json(), collection(list), rows)

export default app.listen(0)
