import { kolba } from 'kolba'
import { cacheControl } from 'kolba/cache'
import { collection } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { limited, list, rows, signedIn } from '../../shared/kolba.js'

export const title = 'kolba'
export const packages = ['kolba']

const app = kolba()
const privately = cacheControl({ private: true, maxAge: 60 })

app.get('/products', signedIn, limited, privately, etag(), json(), collection(list), rows)

export default app.listen(0)
