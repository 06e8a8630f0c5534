import { byteCount } from '@holdfast/foundation';
import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { NbdError } from '../constants/errors.js';
import type { ReplyMode } from '../handshake/reply-mode.js';
import { EXTENTS_MAX } from '../limits.js';
import { chunkedRepliesOf, type ChunkedReply } from '../testing/chunks.js';
import { MemoryDriver, type MemoryDriverOptions, type Operation } from '../testing/memory-driver.js';
import { filterBytes, requestBytesIn, type RequestText } from '../testing/wire.js';
import { Step } from './step.js';
import { TransmissionMachine } from './transmission-machine.js';

const KIB = 1024;
const ALLOCATION = { id: 7, name: 'base:allocation' };
const DEPTH = { id: 0xffff_ffff, name: 'qemu:allocation-depth' };
const DISC = { type: Command.DISC };

/** 64 KiB: a hole in the middle; the second half is of another layer. */
const states = {
  [ALLOCATION.name]: new Uint8Array(64 * KIB).fill(3, 16 * KIB, 48 * KIB),
  [DEPTH.name]: new Uint8Array(64 * KIB).fill(1).fill(2, 32 * KIB),
};

function ask(offset: number, length: number, flags = 0): RequestText {
  return { type: Command.BLOCK_STATUS, cookie: 5n, offset, length, flags };
}

/** Status by context id, as `[length, flags]`. */
function statusOf(reply: ChunkedReply | undefined): Record<string, number[][]> {
  const entries = (reply?.chunks ?? []).map((chunk): [number, number[][]] => {
    if (chunk.kind !== 'status') throw new Error('a status chunk was expected');
    return [chunk.contextId, chunk.extents.map(({ length, flags }) => [length, Number(flags)])];
  });
  return Object.fromEntries(entries);
}

function serve(
  replyMode: ReplyMode,
  requests: readonly RequestText[],
  options: Partial<MemoryDriverOptions> = {},
) {
  const driver = new MemoryDriver({
    image: new Uint8Array(64 * KIB),
    states,
    replyMode,
    metaContexts: [ALLOCATION, DEPTH],
    ...options,
  });
  driver.serve([Buffer.concat([...requests, DISC].map((request) => requestBytesIn(replyMode, request)))]);
  expect(driver.closeReason).toBe('disconnect');
  return { driver, replies: chunkedRepliesOf(driver.sent, replyMode) };
}

describe.each(['structured', 'extended'] as const)('%s', (replyMode) => {
  test('T11 there is one chunk for each selected context, in the order of the selection', () => {
    const { replies } = serve(replyMode, [ask(0, 64 * KIB)]);
    expect(statusOf(replies[0])).toEqual({
      [ALLOCATION.id]: [
        [16 * KIB, 0],
        [32 * KIB, 3],
        [16 * KIB, 0],
      ],
      [DEPTH.id]: [
        [32 * KIB, 1],
        [32 * KIB, 2],
      ],
    });
    const turned = serve(replyMode, [ask(0, 64 * KIB)], { metaContexts: [DEPTH] });
    expect(Object.keys(statusOf(turned.replies[0]))).toEqual([String(DEPTH.id)]);
  });

  test('T11 neighbours with equal flags are one extent, in whatever pieces the driver reports them', () => {
    const { replies } = serve(replyMode, [ask(0, 64 * KIB)], { extentBytesMax: 700 });
    expect(statusOf(replies[0])[ALLOCATION.id]).toEqual([
      [16 * KIB, 0],
      [32 * KIB, 3],
      [16 * KIB, 0],
    ]);
  });

  test('T11 only the last extent goes beyond what was asked, never beyond the export', () => {
    const { replies } = serve(replyMode, [ask(KIB, KIB), ask(8 * KIB, 9 * KIB), ask(60 * KIB, KIB)]);
    expect(replies.map((reply) => statusOf(reply)[ALLOCATION.id])).toEqual([
      [[15 * KIB, 0]],
      [
        [8 * KIB, 0],
        [32 * KIB, 3],
      ],
      [[4 * KIB, 0]],
    ]);
  });

  test('T11 REQ_ONE is exactly one extent for each context, no longer than what was asked', () => {
    const one = CommandFlag.REQ_ONE;
    const { replies } = serve(replyMode, [ask(KIB, KIB, one), ask(8 * KIB, 40 * KIB, one)]);
    expect(replies.map(statusOf)).toEqual([
      { [ALLOCATION.id]: [[KIB, 0]], [DEPTH.id]: [[KIB, 1]] },
      { [ALLOCATION.id]: [[8 * KIB, 0]], [DEPTH.id]: [[24 * KIB, 1]] },
    ]);
  });

  test('T5 extents are whole blocks; a block of both is data', () => {
    const fine = new Uint8Array(64 * KIB).fill(3, 5 * KIB + 1, 12 * KIB).fill(3, 13 * KIB, 13 * KIB + 5);
    const { replies } = serve(replyMode, [ask(0, 64 * KIB)], {
      blockSizeMinimum: 4 * KIB,
      states: { ...states, [ALLOCATION.name]: fine },
    });
    expect(statusOf(replies[0])[ALLOCATION.id]).toEqual([
      [8 * KIB, 0],
      [4 * KIB, 3],
      [52 * KIB, 0],
    ]);
  });

  test('T11 without a selected context it is EINVAL', () => {
    const { replies, driver } = serve(replyMode, [ask(0, KIB)], { metaContexts: [] });
    expect(replies).toMatchObject([{ error: NbdError.EINVAL, message: 'no metadata context was selected' }]);
    expect(driver.operations.filter(({ step }) => step === 'extents')).toEqual([]);
  });

  test('T4 T7 a range that is empty or not within the export is EINVAL', () => {
    const { replies } = serve(replyMode, [ask(0, 0), ask(64 * KIB, 1), ask(1, 64 * KIB), ask(0, KIB)]);
    const { EINVAL } = NbdError;
    expect(replies.map(({ error }) => error)).toEqual([EINVAL, EINVAL, EINVAL, 0]);
  });

  test('T6 it may be longer than the maximum payload', () => {
    const { replies } = serve(replyMode, [ask(0, 64 * KIB)], { payloadMaximum: KIB });
    expect(replies[0]?.error).toBe(0);
  });

  test('many requests in a small buffer are each answered, errors too', () => {
    for (let outputBytes = 256; outputBytes < 320; outputBytes += 1) {
      let extents = 0;
      const fault = ({ step }: Operation) => (step === 'extents' && ++extents % 3 === 0 ? 5 : 0);
      const options = { outputBytes, metaContexts: [ALLOCATION] };
      const requests = Array.from({ length: 12 }, (_, index) => ask(index * 4 * KIB, 4 * KIB));
      const { replies } = serve(replyMode, requests, { ...options, fault });
      expect(replies.map(({ error }) => error)).toEqual(
        requests.map((_, index) => (index % 3 === 2 ? 5 : 0)),
      );
    }
  });

  test('an errno of the driver is told in place of the chunk, and ends the reply', () => {
    const fault = ({ context }: Operation) => (context === DEPTH.name ? 5 : 0);
    const { replies, driver } = serve(replyMode, [ask(0, KIB), ask(0, KIB)], { fault });
    expect(replies).toMatchObject([{ error: NbdError.EIO }, { error: NbdError.EIO }]);
    expect(replies[0]?.chunks.length).toBe(1);
    expect(driver.machine.counters).toMatchObject({ requests: 2, errors: 2 });
  });

  test('T16 once shutting down it is ESHUTDOWN', () => {
    const driver = new MemoryDriver({ image: new Uint8Array(KIB), replyMode, metaContexts: [DEPTH] });
    driver.machine.beginShutdown();
    driver.serve([requestBytesIn(replyMode, ask(0, KIB))]);
    expect(chunkedRepliesOf(driver.sent, replyMode)).toMatchObject([{ error: NbdError.ESHUTDOWN }]);
  });
});

describe('T11 however many extents there are', () => {
  const TIB = 2 ** 40;

  /** Asks about a terabyte whose extents alternate, and is answered from `outputBytes` of memory. */
  function askAlternating(replyMode: ReplyMode, outputBytes: number, extentBytes: number, length: number) {
    const output = new Uint8Array(outputBytes);
    const machine = new TransmissionMachine(
      {
        sizeBytes: byteCount(TIB),
        transmissionFlags: 1,
        blockSizeMinimum: 1,
        payloadMaximum: 2 ** 25,
        replyMode,
        metaContexts: [ALLOCATION],
      },
      { input: new Uint8Array(128), output },
      { transferMinimum: Infinity },
    );
    machine.preload(requestBytesIn(replyMode, ask(0, length)));
    const sent: Uint8Array[] = [];
    for (;;) {
      const step = machine.next();
      if (step === Step.send) {
        sent.push(Uint8Array.from(output.subarray(0, machine.outputLength)));
        machine.sent();
      } else if (step === Step.extents) {
        const first = machine.fileOffset / extentBytes;
        for (let index = first; !machine.extents.isFull; index += 1) {
          machine.extents.add(extentBytes, index % 2 === 0 ? 0 : 3);
        }
        machine.completed(0);
      } else break;
    }
    const [reply] = chunkedRepliesOf(Buffer.concat(sent), replyMode);
    return statusOf(reply)[ALLOCATION.id] ?? [];
  }

  test.each([
    ['structured', 0xffff_fe00, 8, 24],
    ['extended', TIB, 16, 40],
  ] as const)(
    '%s: a terabyte of 512 bytes each is answered in part, by what fits',
    (mode, length, size, start) => {
      const outputBytes = 64 * KIB;
      const extents = askAlternating(mode, outputBytes, 512, length);
      expect(extents.length).toBe(Math.floor((outputBytes - start) / size));
      expect(extents.every(([bytes, flags], index) => bytes === 512 && flags === (index % 2) * 3)).toBe(true);
    },
  );

  test('A6 of one byte each too, and the next question goes on from there', () => {
    const extents = askAlternating('extended', 64 * KIB, 1, TIB);
    expect(extents.length).toBeGreaterThan(4000);
    expect(extents.every(([bytes]) => bytes === 1)).toBe(true);
  });

  test('A6 a reply has 2^20 at most, whatever the buffer holds', () => {
    const extents = askAlternating('extended', 2 * 16 * EXTENTS_MAX, 512, TIB);
    expect(extents.length).toBe(EXTENTS_MAX);
  });
});

describe('extended headers', () => {
  const filtered = (payload: Uint8Array, offset = 0, flags = 0): RequestText => ({
    type: Command.BLOCK_STATUS,
    offset,
    flags,
    payload,
  });
  const next = ask(0, KIB);

  test('T12 a payload chooses the contexts, and gives the length', () => {
    const { replies } = serve('extended', [
      filtered(filterBytes(KIB, DEPTH.id)),
      filtered(filterBytes(20 * KIB, DEPTH.id, ALLOCATION.id), 8 * KIB),
      filtered(filterBytes(20 * KIB, ALLOCATION.id), 8 * KIB, CommandFlag.REQ_ONE),
      next,
    ]);
    expect(replies.map(statusOf)).toEqual([
      { [DEPTH.id]: [[32 * KIB, 1]] },
      {
        [ALLOCATION.id]: [
          [8 * KIB, 0],
          [32 * KIB, 3],
        ],
        [DEPTH.id]: [[24 * KIB, 1]],
      },
      { [ALLOCATION.id]: [[8 * KIB, 0]] },
      { [ALLOCATION.id]: [[16 * KIB, 0]], [DEPTH.id]: [[32 * KIB, 1]] },
    ]);
  });

  test.each([
    ['no id', filterBytes(KIB)],
    ['an unknown id', filterBytes(KIB, 8)],
    ['an id and an unknown one', filterBytes(KIB, ALLOCATION.id, 8)],
    ['an id twice', filterBytes(KIB, ALLOCATION.id, ALLOCATION.id)],
    ['more ids than there are contexts', filterBytes(KIB, ALLOCATION.id, DEPTH.id, ALLOCATION.id)],
    ['a length of zero', filterBytes(0, ALLOCATION.id)],
    ['a length beyond the end', filterBytes(64 * KIB + 1, ALLOCATION.id)],
    ['a length beyond 2^63', filterBytes(2n ** 64n - 1n, ALLOCATION.id)],
    ['half an id', filterBytes(KIB, ALLOCATION.id, DEPTH.id).subarray(0, 14)],
    ['less than a length', Buffer.alloc(7)],
    ['nothing', Buffer.alloc(0)],
    ['a megabyte', Buffer.alloc(KIB * KIB)],
  ])('T12 a payload with %s is consumed, then EINVAL', (_name, payload) => {
    for (const inputBytes of [64, 64 * KIB]) {
      const { replies } = serve('extended', [filtered(payload), next], { inputBytes });
      expect(replies.map(({ error }) => error)).toEqual([NbdError.EINVAL, 0]);
      expect(replies[0]?.message).not.toBe('');
    }
  });

  test('T1 a payload that was not offered is consumed, then EINVAL', () => {
    const { replies } = serve('extended', [filtered(filterBytes(KIB, ALLOCATION.id)), next], {
      transmissionFlags: 1,
    });
    expect(replies.map(({ error }) => error)).toEqual([NbdError.EINVAL, 0]);
  });

  test('T12 an extent beyond 4 GiB is told as it is', () => {
    const output = new Uint8Array(256);
    const machine = new TransmissionMachine(
      {
        sizeBytes: byteCount(2 ** 50),
        transmissionFlags: 1,
        blockSizeMinimum: 1,
        payloadMaximum: 2 ** 25,
        replyMode: 'extended',
        metaContexts: [ALLOCATION],
      },
      { input: new Uint8Array(128), output },
      { transferMinimum: Infinity },
    );
    machine.preload(requestBytesIn('extended', ask(2 ** 40, 2 ** 45)));
    expect(machine.next()).toBe(Step.extents);
    expect(machine).toMatchObject({ fileOffset: 2 ** 40, length: 2 ** 45, context: 'base:allocation' });
    machine.extents.add(2 ** 44 + 512, 3);
    machine.extents.add(2 ** 49, 0);
    machine.completed(0);
    expect(machine.next()).toBe(Step.send);
    const [reply] = chunkedRepliesOf(output.subarray(0, machine.outputLength), 'extended');
    expect(statusOf(reply)[ALLOCATION.id]).toEqual([
      [2 ** 44 + 512, 3],
      [2 ** 49, 0],
    ]);
  });
});

test('B1 an extent longer than 32 bits is told in part by a structured reply', () => {
  const output = new Uint8Array(256);
  const machine = new TransmissionMachine(
    {
      sizeBytes: byteCount(2 ** 50),
      transmissionFlags: 1,
      blockSizeMinimum: 64 * KIB,
      payloadMaximum: 2 ** 25,
      replyMode: 'structured',
      metaContexts: [ALLOCATION],
    },
    { input: new Uint8Array(128), output },
    { transferMinimum: Infinity },
  );
  const lengthOf = (length: number) => {
    machine.preload(requestBytesIn('structured', ask(2 ** 40, length)));
    expect(machine.next()).toBe(Step.extents);
    machine.extents.add(2 ** 49, 3);
    machine.completed(0);
    expect(machine.next()).toBe(Step.send);
    const [reply] = chunkedRepliesOf(output.subarray(0, machine.outputLength), 'structured');
    machine.sent();
    return statusOf(reply)[ALLOCATION.id];
  };
  expect(lengthOf(64 * KIB)).toEqual([[0xffff_0000, 3]]);
  expect(lengthOf(0xffff_0000)).toEqual([[0xffff_0000, 3]]);
});

test('T11 an extent that was asked for whole is told whole, and none goes beyond the export', () => {
  const output = new Uint8Array(256);
  const machine = new TransmissionMachine(
    {
      sizeBytes: byteCount(2 ** 33),
      transmissionFlags: 1,
      blockSizeMinimum: 1,
      payloadMaximum: 2 ** 25,
      replyMode: 'structured',
      metaContexts: [ALLOCATION],
    },
    { input: new Uint8Array(128), output },
    { transferMinimum: Infinity },
  );
  const told = (offset: number, length: number) => {
    machine.preload(requestBytesIn('structured', ask(offset, length)));
    expect(machine.next()).toBe(Step.extents);
    // The file goes on where the export ends.
    machine.extents.add(2 ** 40, 3);
    machine.completed(0);
    expect(machine.next()).toBe(Step.send);
    const [reply] = chunkedRepliesOf(output.subarray(0, machine.outputLength), 'structured');
    machine.sent();
    return statusOf(reply)[ALLOCATION.id];
  };
  expect(told(0, 0xffff_fffe)).toEqual([[0xffff_fffe, 3]]);
  expect(told(2 ** 33 - 1000, 10)).toEqual([[1000, 3]]);
});
