/** An order of 10 KB as JSON, the same in each process. Its version is as a database would keep it. */
const lines = Array.from({ length: 94 }, (_, index) => ({
  article: `article-${index}-${'x'.repeat(40)}`,
  quantity: index + 1,
  gift: index % 2 === 0,
}))
const order = { id: 7, version: 3, customer: 'Ada Lovelace', lines, note: '' }
export const document = { ...order, note: 'x'.repeat(10_240 - JSON.stringify(order).length) }
