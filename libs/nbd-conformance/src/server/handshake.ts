import {
  ClientFlag,
  HandshakeFlag,
  IHAVEOPT,
  NBDMAGIC,
  Option,
  OptionReplyType,
} from '@holdfast/nbd-protocol';
import { PeerFault } from '../peer-fault.js';
import { bytesOf } from '../wire/bytes.js';
import { option } from '../wire/option.js';
import { readAnswer, replyName, type OptionAnswer } from '../wire/option-reply.js';
import type { RawStream } from '../wire/raw-stream.js';

/** What a client of today sets. */
export const CLIENT_FLAGS = ClientFlag.FIXED_NEWSTYLE | ClientFlag.NO_ZEROES;

/** Reads the greeting. @returns the handshake flags. @throws PeerFault if it is none of newstyle */
export async function readGreeting(stream: RawStream): Promise<number> {
  const greeting = await stream.read(18);
  if (greeting.readBigUInt64BE(0) !== NBDMAGIC || greeting.readBigUInt64BE(8) !== IHAVEOPT) {
    throw new PeerFault(`a greeting that begins with ${greeting.toString('hex', 0, 16)}`);
  }
  return greeting.readUInt16BE(16);
}

/** A connection on which options are haggled over. */
export class Handshake {
  readonly stream: RawStream;
  /** The handshake flags of the server. */
  readonly offered: number;

  private constructor(stream: RawStream, offered: number) {
    this.stream = stream;
    this.offered = offered;
  }

  /** Reads the greeting and answers it. @param flags client flags, legal or not */
  static async begin(stream: RawStream, flags: number = CLIENT_FLAGS): Promise<Handshake> {
    const offered = await readGreeting(stream);
    if ((offered & HandshakeFlag.FIXED_NEWSTYLE) === 0) throw new PeerFault('newstyle that is not fixed');
    // "MUST NOT be set if the server did not set NBD_FLAG_NO_ZEROES", unless that is what is tried.
    const allowed = flags === CLIENT_FLAGS ? flags & offered : flags;
    stream.send(bytesOf([32, allowed]));
    return new Handshake(stream, offered);
  }

  /** The options again, on the other side of TLS. */
  over(secured: RawStream): Handshake {
    return new Handshake(secured, this.offered);
  }

  /** Sends an option and reads all replies to it. @throws PeerFault if what comes is no reply to it */
  ask(code: number, data: Uint8Array | string = ''): Promise<OptionAnswer> {
    this.stream.send(option(code, data));
    return readAnswer(this.stream, code);
  }

  /** Whether options are still understood, by LIST, whatever the server thinks of that. @throws PeerFault if not */
  async expectInSync(): Promise<void> {
    await this.ask(Option.LIST);
  }

  /** As {@link ask}, for what has to be granted. @throws PeerFault if it is not */
  async demand(code: number, data: Uint8Array | string = ''): Promise<OptionAnswer> {
    const answer = await this.ask(code, data);
    if (answer.end.type === OptionReplyType.ACK) return answer;
    throw new PeerFault(`${replyName(answer.end.type)}, though it was granted before`);
  }

  close(): void {
    this.stream.close();
  }
}
