// Node loads what the names `Response` and `ReadableStream` stand for when they are first read, which takes some 20 ms and
// 3 ms. Here they are not read before there is such a value.

export function isResponse(value: unknown): value is Response {
  return tagOf(value) === 'Response' && value instanceof Response
}

export function isWebStream(value: unknown): value is ReadableStream {
  return tagOf(value) === 'ReadableStream' && value instanceof ReadableStream
}

function tagOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Partial<Response>)[Symbol.toStringTag as never]
    : undefined
}
