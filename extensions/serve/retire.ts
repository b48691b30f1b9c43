import type { Server, ServerResponse } from 'node:http'
import net, { type Socket } from 'node:net'

/**
 * Makes what lets a server stop without refusing anything: it accepts no more, answers what comes on open connections
 * as ever, and closes each behind its answer. An idle connection is left until it is used or its time is over: whoever
 * closes it may do so while a request is under way on it.
 */
export function retiring(server: Server): () => void {
  const sockets = new Set<Socket & { _httpMessage?: ServerResponse }>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () => {
    server.prependListener('request', (_req, res) => {
      res.shouldKeepAlive = false
    })
    // Node keeps the response under way on the socket. One whose head is out has said already that it goes on.
    for (const { _httpMessage: response } of sockets) if (response) response.shouldKeepAlive = false
    // That of http closes idle connections.
    net.Server.prototype.close.call(server)
  }
}
