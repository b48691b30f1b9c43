// W4 over sixty times as many rows, so that a request takes a millisecond or two of the processor. BENCH_UNPROTECTED leaves
// overload() out.
import { kolba } from 'kolba'
import { collection } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { overload } from 'kolba/overload'
import { products } from '../../shared/endpoint.js'
import { limited, list, signedIn } from '../../shared/kolba.js'

export const title = 'computing'
export const packages = ['kolba']

const all = Array.from({ length: 60 }, () => products).flat()
const rows = all.map((product, index) => ({ ...product, id: index + 1 }))

const app = kolba()
if (!process.env.BENCH_UNPROTECTED) app.use(overload())
app.get('/products', signedIn, limited, etag(), json(), collection(list), () => rows)

export default app.listen(0)
