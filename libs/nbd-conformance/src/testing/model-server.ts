import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Peer, type ArrivedRequest } from '@holdfast/nbd-client/testing/peer';
import { temporaryFolder } from '@holdfast/nbd-client/testing/scripted-server';
import { greeting } from '@holdfast/nbd-client/testing/wire';
import { CommandFlag, Command, EXTENDED_REQUEST_MAGIC, Option, REQUEST_MAGIC } from '@holdfast/nbd-protocol';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { flagsIn, type Instead, type Model, type ModelState } from './model-export.js';
import { answerOption } from './model-options.js';
import { answerRequest } from './model-requests.js';

const ACK_TYPE = 1;

/** Serves a model on a Unix socket until the test is over. @returns the URI of its export */
export async function serveModel(model: Model): Promise<string> {
  const socketPath = path.join(temporaryFolder(), 'nbd.sock');
  const sockets = new Set<Socket>();
  const die = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    // What a client does not wait for ends in an error here, which is of no interest.
    serve(new Peer(socket), model, die).catch(() => socket.destroy());
  });
  server.listen(socketPath);
  await once(server, 'listening');
  onTestFinished(die);
  const scheme = model.tls.mode === 'none' ? 'nbd+unix' : 'nbds+unix';
  const tls = model.tls.mode === 'none' ? '' : '&tls-verify-peer=0';
  return `${scheme}:///disk?socket=${encodeURIComponent(socketPath)}${tls}`;
}

async function serve(peer: Peer, model: Model, die: () => void): Promise<void> {
  peer.write(greeting());
  const flags = (await peer.read(4)).readUInt32BE();
  if (flags > 3 && model.faults.takesAnyFlags !== true) {
    peer.stream.end();
    return;
  }
  const state: ModelState = { mode: 'simple', contextId: undefined, isSecured: false };
  const transmitting = await haggle(peer, model, state, (flags & 2) === 0);
  if (transmitting !== undefined) await transmit(transmitting, model, state, die);
}

/** @returns the stream of transmission, undefined when it does not come to that */
async function haggle(peer: Peer, model: Model, state: ModelState, pads: boolean): Promise<Peer | undefined> {
  for (;;) {
    const header = await peer.read(16);
    if (header.toString('latin1', 0, 8) !== 'IHAVEOPT') {
      hangUp(peer);
      return;
    }
    const [code, length] = [header.readUInt32BE(8), header.readUInt32BE(12)];
    const data = await peer.read(model.faults.optionBytes?.(code, length) ?? length);
    if (code === Option.EXPORT_NAME) return exportName(peer, model, state, data.toString(), pads);
    const good = answerOption(model, state, { code, data });
    const isGranted = good.readUInt32BE(good.length - 8) === ACK_TYPE;
    const answer = model.faults.option?.({ code, data }, state, good) ?? good;
    if (!send(peer, answer)) return undefined;
    if (code === Option.ABORT) {
      hangUp(peer);
      return;
    }
    if (code === Option.GO && isGranted) return peer;
    if (code === Option.STARTTLS && isGranted) peer = secure(peer, model, state);
  }
}

function exportName(
  peer: Peer,
  model: Model,
  state: ModelState,
  name: string,
  pads: boolean,
): Peer | undefined {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(model.image.length));
  const flags = Buffer.from([flagsIn(model, state) >> 8, flagsIn(model, state) & 0xff]);
  const isRefused =
    name !== 'disk' || (model.tls.mode === 'required' && !state.isSecured) || state.mode === 'extended';
  const good = Buffer.concat([size, flags, Buffer.alloc(pads ? 124 : 0)]);
  const answer = model.faults.option?.({ code: Option.EXPORT_NAME, data: Buffer.from(name) }, state, good);
  if (!send(peer, answer ?? (isRefused ? 'close' : good))) return undefined;
  return peer;
}

/** Does TLS as the server of it. */
function secure(peer: Peer, model: Model, state: ModelState): Peer {
  const rest = peer.unread;
  for (const event of ['data', 'end', 'close', 'error']) peer.stream.removeAllListeners(event);
  const options = { isServer: true, ...(model.tls.context && { secureContext: model.tls.context }) };
  const secured = new TLSSocket(peer.stream, options);
  secured.on('error', () => secured.destroy());
  if (model.faults.keepsAcrossTls !== 'state') Object.assign(state, { mode: 'simple', contextId: undefined });
  state.isSecured = true;
  if (model.faults.keepsAcrossTls === 'bytes' && rest.length >= 16) {
    secured.write(answerOption(model, state, { code: rest.readUInt32BE(8), data: Buffer.alloc(0) }));
  }
  return new Peer(secured);
}

async function transmit(peer: Peer, model: Model, state: ModelState, die: () => void): Promise<void> {
  for (;;) {
    const request = await readRequest(peer, model, state, die);
    if (request === undefined) return;
    if (model.faults.diesOf?.(request) === true) {
      die();
      return;
    }
    if (request.type === Command.DISC) {
      peer.stream.end(model.faults.disc ?? Buffer.alloc(0));
      return;
    }
    const good = answerRequest(model, state, request);
    if (!send(peer, model.faults.request?.(request, state, good) ?? good)) return;
  }
}

async function readRequest(
  peer: Peer,
  { faults, blockSize }: Model,
  { mode }: ModelState,
  die: () => void,
): Promise<ArrivedRequest | undefined> {
  const extended = mode === 'extended';
  const header = await peer.read(extended ? 32 : 28);
  if (header.readUInt32BE(0) !== (extended ? EXTENDED_REQUEST_MAGIC : REQUEST_MAGIC)) {
    if (faults.diesOfNonsense === true) die();
    hangUp(peer);
    return;
  }
  const flags = header.readUInt16BE(4);
  const type = header.readUInt16BE(6);
  const length = extended ? header.readBigUInt64BE(24) : BigInt(header.readUInt32BE(24));
  const request = {
    extended,
    flags,
    type,
    length,
    cookie: header.readBigUInt64BE(8),
    offset: header.readBigUInt64BE(16),
  };
  const hasPayload = extended ? (flags & CommandFlag.PAYLOAD_LEN) !== 0 : type === Command.WRITE;
  const payloadBytes = hasPayload ? length : 0n;
  const taken = faults.payloadBytes?.(request, payloadBytes) ?? payloadBytes;
  if (taken > 2n * BigInt(blockSize[2])) {
    hangUp(peer);
    return;
  }
  return { ...request, payload: await peer.read(Number(taken)) };
}

/** @returns whether it goes on */
function send(peer: Peer, answer: Instead): boolean {
  if (answer === 'close') {
    hangUp(peer);
    return false;
  }
  if (answer !== 'silence') peer.write(answer);
  return true;
}

function hangUp(peer: Peer): void {
  peer.stream.end();
}
