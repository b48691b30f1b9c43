// Cameras that need no hardware: each looks at a landscape where a day takes a minute. Their photos are real JPEGs.
import { setTimeout as sleep } from 'node:timers/promises'

/** Red, green and blue, from 0 to 255. */
type Colour = readonly [number, number, number]
/** The colour at a place, from the left and from the top, both 0 to 1, after so many days. */
type Scene = (x: number, y: number, days: number) => Colour

type Name = (typeof cameras)[number]

const scenes = { harbour, hills } satisfies Record<string, Scene>
export const cameras = ['harbour', 'hills'] as const

/** Takes a photo: a JPEG. */
export async function capture(camera: Name): Promise<Buffer> {
  return jpeg(64, 48, (x, y) => scenes[camera](x, y, Date.now() / 60_000))
}

/** What it sees, again and again after so many seconds, until the signal aborts. */
export async function* live(camera: Name, interval = 0.1, signal = new AbortController().signal) {
  for (;;) {
    yield await capture(camera)
    await sleep(interval * 1000, undefined, { signal })
  }
}

const NIGHT: Colour = [12, 16, 44]
const DAY: Colour = [120, 184, 240]
const DUSK: Colour = [250, 140, 80]
const SUN: Colour = [255, 236, 150]

function sky(x: number, y: number, days: number): Colour {
  const height = Math.sin(days * 2 * Math.PI)
  const [sunX, sunY] = [0.5 - 0.4 * Math.cos(days * 2 * Math.PI), 0.65 - 0.5 * height]
  const distance = Math.hypot((x - sunX) * 4, (y - sunY) * 3)
  const isStar = height < 0 && Math.abs(Math.sin(Math.round(x * 64) * 78.2 + Math.round(y * 48) * 37.7)) < 0.012
  const above = mix(mix(NIGHT, DAY, height + 0.4), DUSK, (0.35 - Math.abs(height)) * 2 * y)
  return isStar ? SUN : mix(above, SUN, 1.15 - distance * 3)
}

function harbour(x: number, y: number, days: number): Colour {
  const wave = 0.03 * Math.sin(y * 90 + days * 300) * Math.sin(x * 23 - days * 160)
  return y < 0.65 ? sky(x, y, days) : mix(sky(x + wave * 2, 1.3 - y, days), [10, 50, 80], 0.45 + wave * 4)
}

function hills(x: number, y: number, days: number): Colour {
  const light = Math.sin(days * 2 * Math.PI) + 0.5
  const ranges = [0.6 + 0.08 * Math.sin(x * 7), 0.72 + 0.06 * Math.sin(x * 11 + 2), 0.85 + 0.05 * Math.sin(x * 5 + 4)]
  const nearest = ranges.findLastIndex(top => y > top + 0.004 * Math.sin(days * 250 + x * 40))
  return nearest < 0 ? sky(x, y, days) : mix(NIGHT, [96 - 24 * nearest, 150 - 16 * nearest, 110 - 30 * nearest], light)
}

function mix(one: Colour, other: Colour, share: number): Colour {
  const part = Math.min(Math.max(share, 0), 1)
  return one.map((value, index) => value + (Number(other[index]) - value) * part) as unknown as Colour
}

/**
 * A baseline JPEG (ITU-T T.81) of squares with 8 by 8 pixels, each of one colour. A block of one colour has its mean and
 * no other coefficient, so that the header is short and the code for it small: four bits say how long the difference to
 * the block before is, then it comes, then a 0 that ends the block.
 */
export function jpeg(columns: number, rows: number, colourAt: (x: number, y: number) => Colour): Buffer {
  const bytes = [0xff, 0xd8, ...header(columns, rows)]
  let bits = 1
  const put = (value: number, length: number) => {
    for (let bit = length - 1; bit >= 0; bit -= 1) {
      bits = (bits << 1) | ((value >> bit) & 1)
      if (bits < 256) continue
      // A byte of ones would begin a marker, but for the 0 behind it.
      bytes.push(bits & 255, ...(bits === 511 ? [0] : []))
      bits = 1
    }
  }
  const last = [0, 0, 0]
  for (let square = 0; square < columns * rows; square += 1) {
    const colour = colourAt((square % columns) / columns, Math.floor(square / columns) / rows)
    toLevels(colour).forEach((level, component) => {
      const difference = level - Number(last[component])
      const length = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1
      put(length, 4)
      put(difference < 0 ? difference + 2 ** length - 1 : difference, length)
      put(0, 1)
      last[component] = level
    })
  }
  put(127, 7)
  return Buffer.from([...bytes, 0xff, 0xd9])
}

function header(columns: number, rows: number): number[] {
  const size = [rows * 8, columns * 8].flatMap(it => [it >> 8, it & 255])
  const lengths = [0, 0, 0, 9, ...Array(12).fill(0)]
  return [
    ...segment(0xe0, ...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0),
    ...segment(0xdb, 0, ...Array(64).fill(8)),
    ...segment(0xc0, 8, ...size, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0),
    ...segment(0xc4, 0x00, ...lengths, 0, 1, 2, 3, 4, 5, 6, 7, 8),
    ...segment(0xc4, 0x10, 1, ...Array(15).fill(0), 0),
    ...segment(0xda, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0),
  ]
}

function segment(marker: number, ...content: number[]): number[] {
  return [0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255, ...content]
}

/** Brightness, blue and red difference as JFIF has them, each from -128 to 127. */
function toLevels([red, green, blue]: Colour): number[] {
  const brightness = 0.299 * red + 0.587 * green + 0.114 * blue
  const levels = [brightness - 128, (blue - brightness) / 1.772, (red - brightness) / 1.402]
  return levels.map(level => Math.min(Math.max(Math.round(level), -128), 127))
}
