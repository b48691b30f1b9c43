import test from 'ava'
import fc from 'fast-check'
import { readAddress } from 'kolba'

for (const [text, address, network = address] of [
  ['192.0.2.7', '192.0.2.7'],
  ['0.0.0.0', '0.0.0.0'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:c000:207', '192.0.2.7'],
  ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
  ['::ffff:0:0', '0.0.0.0'],
  ['2001:DB8::1', '2001:db8::1', '2001:db8::/64'],
  ['2001:db8:0:0:0:0:0:1', '2001:db8::1', '2001:db8::/64'],
  ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1', '2001:db8:0:1::/64'],
  ['2001:0db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::192.0.2.7', '2001:db8:1:2::c000:207', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::1', 'fe80::/64'],
  ['::ffff:1.2.3.4%x', '1.2.3.4'],
  ['::', '::', '::/64'],
  ['::1', '::1', '::/64'],
  ['0:0:0:1::', '0:0:0:1::', '0:0:0:1::/64'],
  ['1::', '1::', '1::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b::c000:207', '64:ff9b::/64'],
] as const) {
  test(`readAddress() reads ${text} as ${address} of ${network}`, t => {
    t.deepEqual(readAddress(text), { address, network })
  })
}

for (const text of [
  '',
  'localhost',
  '1.2.3',
  '1.2.3.4:80',
  '[::1]',
  '01.2.3.4',
  ':::',
  '1::2::3',
  '::1 ',
  '3405803783',
]) {
  test(`readAddress() reads no address in ${JSON.stringify(text)}`, t => {
    t.is(readAddress(text), undefined)
  })
}

test('readAddress() gives one text for one address, and another for another', t => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  const full = (all: number[]) => all.map(it => it.toString(16).padStart(4, '0').toUpperCase()).join(':')
  const short = (all: number[]) => all.map(it => it.toString(16)).join(':')
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      const address = readAddress(full(one))
      t.deepEqual(readAddress(short(one)), address)
      t.deepEqual(readAddress(address?.address ?? ''), address)
      t.is(address?.address === readAddress(short(other))?.address, short(one) === short(other))
      const isMapped = (all: number[]) => all.slice(0, 6).join() === '0,0,0,0,0,65535'
      const isNeighbour = one.slice(0, 4).join() === other.slice(0, 4).join() && !isMapped(one) && !isMapped(other)
      if (short(one) !== short(other)) t.is(address?.network === readAddress(short(other))?.network, isNeighbour)
    }),
  )
})
