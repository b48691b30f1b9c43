import test from 'ava'
import etag from 'etag'
import { hashTag } from '../../../src/conditional/hash-tag.ts'

test('hashTag() gives what the package etag gives', t => {
  for (const text of ['', 'a', 'é\ud83d\ude00', '\ud800', 'x'.repeat(100_000)]) {
    t.is(`"${hashTag(text)}"`, etag(text))
    t.is(`"${hashTag(Buffer.from(text))}"`, etag(Buffer.from(text)))
  }
})
