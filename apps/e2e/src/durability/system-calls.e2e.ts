import path from 'node:path';
import { Command, CommandFlag } from '@holdfast/nbd-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { eventually } from '../support/eventually.js';
import { getWorker } from '../support/instance-facts.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { requireStrace, trace, type Call, type Trace } from '../support/strace.js';

/*
 * The page cache outlives every process, so a write that was not made durable would survive kill -9 as well. These
 * tests look at what the worker asks of the kernel, and when.
 */
const LOOKED_AT = [
  'pwrite64',
  'pwritev2',
  'fdatasync',
  'fsync',
  'fallocate',
  'sendto',
  'write',
  'writev',
  'sendmsg',
];
const BLOCK = 4096;
/** docs/reference/settings.md */
const THREADS_DEFAULT = 8;

describe.skipIf(requireStrace.missing).each(engines)(
  `the system calls of the $engine engine ${requireStrace.note}`,
  ({ env }) => {
    let holdfast: Holdfast;
    let image: string;
    let worker: Trace;
    let one: NbdSession;
    let other: NbdSession;

    beforeAll(async () => {
      image = makeImage(8 * MIB);
      holdfast = await startHoldfast({ images: [image], env });
      one = await NbdSession.open(holdfast, 'disk.img', 'tcp');
      other = await NbdSession.open(holdfast, 'disk.img', 'unix');
      for (const session of [one, other]) expect(await session.read(0, BLOCK)).toMatchObject({ error: 0 });
      // Threads are still made after the worker is ready; strace is to find all of them.
      const threads = Number(env['HOLDFAST_WORKER_THREADS'] ?? THREADS_DEFAULT);
      await eventually(
        'the last I/O thread to be made',
        async () => (await getWorker(holdfast)).threads === threads,
      );
      worker = await trace(holdfast.pidOf('io-worker'), LOOKED_AT);
    });

    afterAll(() => worker.stop());

    /** The calls that an answered request led to, up to its reply. */
    async function callsOf(
      request: () => Promise<{ error: number }>,
    ): Promise<{ calls: Call[]; reply: Call }> {
      const before = worker.calls().length;
      expect(await request()).toMatchObject({ error: 0 });
      const calls = worker.calls().slice(before);
      // The reply's magic, 0x67446698, as strace prints it.
      const reply = calls.find(({ text }) => text.includes('"gDf\\230'));
      if (reply === undefined) throw new Error(`no reply among\n${calls.map(({ text }) => text).join('\n')}`);
      return { calls, reply };
    }

    const onImage = ({ text }: Call) => text.includes(path.basename(path.dirname(image)));
    const isSync = (call: Call) => call.name === 'fdatasync' && onImage(call) && call.text.endsWith('= 0');
    const isWrite = (call: Call) => call.name.startsWith('pwrite') && onImage(call);
    const isDurableWrite = (call: Call) => isWrite(call) && call.text.includes('RWF_DSYNC');

    it('T13 FUA is on stable storage before the reply', async () => {
      const { calls, reply } = await callsOf(() => one.write(MIB, Buffer.alloc(BLOCK, 1), { fua: true }));
      const write = calls.find(isWrite);
      const durable =
        calls.find(isDurableWrite) ?? calls.find((call) => isSync(call) && call.began > (write?.done ?? 0));
      expect(write).toBeDefined();
      expect(durable?.done).toBeLessThan(reply.began);
    });

    it('a plain WRITE waits for no stable storage', async () => {
      const { calls } = await callsOf(() => one.write(MIB, Buffer.alloc(BLOCK, 2)));
      expect(calls.some(isWrite)).toBe(true);
      expect(calls.some((call) => isSync(call) || isDurableWrite(call))).toBe(false);
    });

    it('T13 FLUSH is one fdatasync of the image before the reply', async () => {
      const { calls, reply } = await callsOf(() => one.flush());
      const syncs = calls.filter(isSync);
      expect(syncs).toHaveLength(1);
      expect(syncs[0]?.done).toBeLessThan(reply.began);
    });

    it('T13 FLUSH on one connection covers a write that was answered on another', async () => {
      const { calls: writing } = await callsOf(() => one.write(2 * MIB, Buffer.alloc(BLOCK, 3)));
      const { calls: flushing, reply } = await callsOf(() => other.flush());
      const write = writing.find(isWrite);
      const sync = flushing.find(isSync);
      expect(sync?.began).toBeGreaterThan(write?.done ?? Infinity);
      expect(sync?.done).toBeLessThan(reply.began);
    });

    it.each([
      { name: 'WRITE_ZEROES', type: Command.WRITE_ZEROES },
      { name: 'TRIM', type: Command.TRIM },
    ])('T13 $name with FUA is followed by fdatasync before the reply', async ({ type }) => {
      const there = { offset: 3 * MIB, length: MIB, flags: CommandFlag.FUA };
      const { calls, reply } = await callsOf(() => one.request(type, there));
      const zeroed = calls.find((call) => call.name === 'fallocate' && onImage(call));
      const sync = calls.find(isSync);
      expect(sync?.began).toBeGreaterThan(zeroed?.done ?? Infinity);
      expect(sync?.done).toBeLessThan(reply.began);
    });
  },
);
