import { expect, it } from 'vitest';
import { goTo, readBytes, readReply } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import { ownBytes } from '../protocol/process-memory.js';
import type { RawClient } from '../protocol/raw-client.js';
import { serving } from '../protocol/serving.js';
import { Cmd } from '../protocol/spec-numbers.js';
import { request } from '../protocol/wire.js';
import { MIB } from '../support/image.js';
import { transports, type Transport } from '../support/ready-line.js';
import { makeCredentials, serveArgs } from './credentials.js';
import { byKey, connectTls } from './tls-client.js';

/** Of each process, for all slow clients together: their buffers, and what a garbage collector takes at its own time. */
const GROWTH_MAX = 64 * MIB;
const SLOW_CLIENTS = 4;
/** Answers for each: more than any socket and any buffer between holds. */
const READS = 300;

const credentials = await makeCredentials('vm1');
const suite = serving({ args: serveArgs(credentials, 'required') });

async function enter(transport: Transport): Promise<RawClient> {
  const client = await connectTls(suite.holdfast, byKey(credentials), transport);
  await goTo(client);
  return client;
}

it('T16 clients of TLS that do not read cost no memory, hold up nobody, and get all in the end', async () => {
  const other = await enter('tcp');
  const image = suite.imageBytes(0, MIB);
  expectBytes(await readBytes(other, 0, MIB), image);
  const pids = [suite.holdfast.pidOf('nbd-gateway'), suite.holdfast.pidOf('io-worker')];
  const before = pids.map(ownBytes);

  const slow: RawClient[] = [];
  for (let count = 0; count < SLOW_CLIENTS; count++) {
    const client = await enter(transports[count % transports.length] ?? 'tcp');
    client.stopReading();
    client.send(...Array.from({ length: READS }, () => request({ type: Cmd.READ, length: MIB })));
    slow.push(client);
  }
  for (let round = 0; round < 20; round++) {
    const began = performance.now();
    expectBytes(await readBytes(other, 0, MIB), image);
    expect(performance.now() - began).toBeLessThan(1000);
  }
  for (const [index, pid] of pids.entries()) {
    expect(ownBytes(pid) - (before[index] ?? 0)).toBeLessThan(GROWTH_MAX);
  }

  const [first] = slow;
  first?.socket.resume();
  for (let answered = 0; first !== undefined && answered < READS; answered++) {
    expectBytes((await readReply(first, 0n, MIB)).data, image);
  }
});

it('T16 a worker that is slower than the client of TLS costs no memory', async () => {
  const client = await enter('tcp');
  const pids = [suite.holdfast.pidOf('nbd-gateway'), suite.holdfast.pidOf('io-worker')];
  const before = pids.map(ownBytes);
  const payload = Buffer.alloc(MIB, 7);
  const write = request({ type: Cmd.WRITE, payload });
  const sent = Promise.all(Array.from({ length: READS }, () => client.sent(write)));
  let most = 0;
  for (let answered = 0; answered < READS; answered++) {
    expect((await readReply(client, 0n)).error).toBe(0);
    if (answered % 20 === 0)
      most = Math.max(most, ...pids.map((pid, at) => ownBytes(pid) - (before[at] ?? 0)));
  }
  await sent;
  expect(most).toBeLessThan(GROWTH_MAX);
  expectBytes(suite.imageBytes(0, MIB), payload);
});

it('T15 a client of TLS that has finished sending still gets its answers', async () => {
  for (const transport of transports) {
    const client = await enter(transport);
    const image = suite.imageBytes(0, MIB);
    client.send(...Array.from({ length: 20 }, () => request({ type: Cmd.READ, length: MIB })));
    client.halfClose();
    for (let answered = 0; answered < 20; answered++) {
      expectBytes((await readReply(client, 0n, MIB)).data, image);
    }
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
  }
});
