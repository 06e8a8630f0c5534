import { Buffer } from 'node:buffer';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import type {
  ExportDescription,
  ExportListing,
  HandshakeEnd,
  HandshakeRequest,
} from '../handshake/handshake-request.js';
import type { MetaContextOffer } from '../handshake/meta-context-match.js';
import type { Negotiated } from '../handshake/negotiated.js';
import type { RefusalReason } from '../handshake/refusal.js';
import { type HandshakeOptions, ServerHandshake } from '../handshake/server-handshake.js';
import { clientFlags } from './handshake-wire.js';

/** What the owner of a handshake decides. */
export interface Owner {
  readonly listings: readonly ExportListing[] | RefusalReason;
  readonly describe: (exportName: string) => ExportDescription | RefusalReason;
  readonly contexts: readonly MetaContextOffer[] | RefusalReason;
  /** Turns away clients that did not ask for the block sizes. */
  readonly blockSizeRequired?: boolean;
}

/** How the other side of a conversation behaves, and how this one is set up. */
export interface Setting extends HandshakeOptions {
  readonly owner?: Owner;
  /** What the client sends through TLS; without it TLS fails. What it sends in plain text after STARTTLS is lost. */
  readonly throughTls?: readonly Uint8Array[];
  /** The server is being stopped when the client comes. */
  readonly stopping?: boolean;
}

export interface Conversation {
  /** Everything that the server sent after its greeting. */
  readonly sent: Buffer;
  /** How much of it was sent before TLS. */
  readonly sentInPlain: number;
  /** What the owner was asked. */
  readonly questions: readonly string[];
  readonly end: HandshakeEnd | 'transmission' | 'still open';
  /** What the owner was told with its last `go`. */
  readonly negotiated: Negotiated | undefined;
  /** What came after the handshake. */
  readonly remainder: Buffer;
  /** Times that the machine was asked what to do. */
  readonly steps: number;
  /** Most bytes held while more were awaited. */
  readonly bufferedBytesMax: number;
}

export const DISK: ExportDescription = {
  name: 'disk',
  description: 'a disk',
  sizeBytes: 0x0102_0304_0506_0708n,
  transmissionFlags: TransmissionFlag.SEND_FLUSH | TransmissionFlag.SEND_TRIM,
  blockSize: { minimum: 512, preferred: 4096, payloadMaximum: 32 * 1024 * 1024 },
};

/** Has one export, `disk`; `hidden` is refused by policy, `secret` needs TLS, every other name is unknown. */
export const OWNER: Owner = {
  listings: [
    { name: 'disk', description: 'a disk' },
    { name: 'plain', description: '' },
  ],
  describe: (exportName) => {
    if (exportName === 'disk') return DISK;
    if (exportName === 'secret') return 'tls-required';
    return exportName === 'hidden' ? 'policy' : 'unknown';
  },
  contexts: [
    { name: 'base:allocation', flagBits: 32 },
    { name: 'x-holdfast:wide', flagBits: 64 },
    { name: 'x-holdfast:bitmap:a', flagBits: 32 },
    { name: 'x-holdfast:bitmap:b', flagBits: 32 },
  ],
};

/** Pushes the chunks one by one and does what the machine asks, as a gateway would. */
export function converse(chunks: readonly Uint8Array[], setting: Setting = {}): Conversation {
  const { owner = OWNER, throughTls, stopping = false, ...options } = setting;
  const machine = new ServerHandshake(options);
  if (stopping) machine.stop();
  const sent: Uint8Array[] = [];
  const questions: string[] = [];
  let waiting = [...chunks];
  let end: Conversation['end'] = 'still open';
  let negotiated: Negotiated | undefined;
  let sentInPlain: number | undefined;
  let steps = 0;
  let bufferedBytesMax = 0;

  while (end === 'still open') {
    const request = machine.next();
    steps += 1;
    if (request.kind === 'need-input') {
      bufferedBytesMax = Math.max(bufferedBytesMax, machine.bufferedBytes);
      const chunk = waiting.shift();
      if (chunk === undefined) break;
      machine.push(chunk);
    } else if (request.kind === 'close') {
      sent.push(request.bytes ?? Buffer.alloc(0));
      end = request.reason;
    } else if (request.kind === 'reply') {
      sent.push(request.bytes);
    } else if (request.kind === 'start-tls') {
      sent.push(request.bytes);
      sentInPlain = Buffer.concat(sent).length;
      // What the client sent in plain text and is still on its way arrives before TLS does.
      for (const chunk of waiting) machine.push(chunk);
      waiting = [...(throughTls ?? [])];
      if (throughTls === undefined) machine.notSecured();
      else machine.secured();
    } else {
      if (request.kind === 'go') ({ negotiated } = request);
      questions.push(request.kind === 'list' ? 'list' : `${request.kind} ${request.exportName}`);
      sent.push(answer(machine, request, owner));
      if (machine.phase === 'transmission') end = 'transmission';
    }
  }
  const all = Buffer.concat(sent);
  return {
    sent: all,
    sentInPlain: sentInPlain ?? all.length,
    questions,
    end,
    negotiated,
    remainder: Buffer.concat(end === 'transmission' ? [machine.takeRemainder(), ...waiting] : []),
    steps,
    bufferedBytesMax,
  };
}

/** A client of today: its flags, then the options, all at once. */
export function negotiate(...options: readonly Uint8Array[]): Conversation {
  return negotiateIn({}, ...options);
}

/** The same, with this owner or that TLS mode. */
export function negotiateIn(setting: Setting, ...options: readonly Uint8Array[]): Conversation {
  return converse([Buffer.concat([clientFlags(), ...options])], setting);
}

function answer(
  machine: ServerHandshake,
  request: Extract<HandshakeRequest, { kind: 'list' | 'info' | 'go' | 'meta-contexts' }>,
  owner: Owner,
): Uint8Array {
  const refuse = (reason: RefusalReason) => machine.refuse(reason, `refused: ${reason}`).bytes;
  if (request.kind === 'list') {
    return typeof owner.listings === 'string' ? refuse(owner.listings) : machine.answerList(owner.listings);
  }
  const description = owner.describe(request.exportName);
  if (typeof description === 'string') return refuse(description);
  if (request.kind === 'meta-contexts') {
    return typeof owner.contexts === 'string'
      ? refuse(owner.contexts)
      : machine.answerMetaContexts(owner.contexts);
  }
  if (owner.blockSizeRequired === true && !request.blockSizeAsked) {
    return machine.refuseWithoutBlockSize(description.blockSize).bytes;
  }
  return request.kind === 'info' ? machine.answerInfo(description) : machine.answerGo(description);
}
