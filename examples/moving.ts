// A picture that moves, to copy: moving makes of JPEGs that come one by one what <img> shows as a film, for as long as
// they come: multipart/x-mixed-replace, where each part takes the place of the one before.
import { type Decorator, decorator, reply } from 'kolba'

type Jpegs = AsyncIterable<Uint8Array>

const headers = { 'Content-Type': 'multipart/x-mixed-replace; boundary=frame', 'Cache-Control': 'no-store' }

/** It ends when the app closes, for there may always be one more. */
export function moving(): Decorator<object, object, Jpegs> {
  let isClosing = false

  /** A picture is shown when the line behind it has come, which therefore comes with it. */
  async function* parts(jpegs: Jpegs) {
    yield '--frame'
    for await (const jpeg of jpegs) {
      const head = `\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`
      yield Buffer.concat([Buffer.from(head), jpeg, Buffer.from('\r\n--frame')])
      if (isClosing) break
    }
    yield '--\r\n'
  }

  return decorator<object, object, Jpegs>('moving', async (_ctx, next) => reply(200, parts(await next()), headers), {
    register({ app }) {
      app.onDrain(() => {
        isClosing = true
      })
      return undefined
    },
  })
}
