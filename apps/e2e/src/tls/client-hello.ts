import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { Identity } from './tls-client.js';

/** The first bytes that a client of TLS sends. */
export async function clientHello(identity: Identity): Promise<Buffer> {
  const wire = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      this.emit('sent', chunk);
      done();
    },
  });
  const sent = once(wire, 'sent') as Promise<[Buffer]>;
  const socket = connect({ ...identity, socket: wire });
  socket.on('error', () => undefined);
  const [hello] = await sent;
  socket.destroy();
  return hello;
}
