import { Buffer } from 'node:buffer';
import { HoldfastError } from '@holdfast/foundation';
import {
  GREETING_BYTES,
  HandshakeFlag,
  NBDMAGIC,
  parseGreeting,
  type Greeting,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../errors/protocol-error.js';

/** `cliserv_magic`, where newstyle has IHAVEOPT (section "Oldstyle negotiation"). */
const OLDSTYLE_MAGIC = 0x00420281861253n;

const MAGIC_BYTES = 8;

/**
 * Reads the greeting from the front of a stream. What is no NBD server is told by its first wrong byte, without waiting
 * for more.
 *
 * @throws NbdProtocolError of something that is no NBD server
 * @throws HoldfastError NBD_SERVER_TOO_OLD of one that is not fixed newstyle
 */
export function readGreeting(stream: Buffer): Greeting | 'incomplete' {
  const magic = Buffer.alloc(MAGIC_BYTES);
  magic.writeBigUInt64BE(NBDMAGIC);
  const start = stream.subarray(0, MAGIC_BYTES);
  if (!start.equals(magic.subarray(0, start.length))) throw new NbdProtocolError('not-nbd');
  if (stream.length >= 2 * MAGIC_BYTES && stream.readBigUInt64BE(MAGIC_BYTES) === OLDSTYLE_MAGIC) {
    throw tooOld('negotiates in the oldstyle, without names of exports');
  }
  if (stream.length < GREETING_BYTES) return 'incomplete';
  const greeting = parseGreeting(stream);
  if (typeof greeting === 'string') throw new NbdProtocolError('not-nbd');
  if ((greeting.handshakeFlags & HandshakeFlag.FIXED_NEWSTYLE) === 0) {
    throw tooOld('negotiates in newstyle that is not fixed');
  }
  return greeting;
}

function tooOld(what: string): HoldfastError {
  return new HoldfastError('NBD_SERVER_TOO_OLD', `the NBD server ${what}: this client needs fixed newstyle`);
}
