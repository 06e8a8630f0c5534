import { describe, expect, test } from 'vitest';
import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import { MemoryDriver, type MemoryDriverOptions } from '../testing/memory-driver.js';
import { pattern, requestBytes, type RequestText } from '../testing/wire.js';
import type { Pace } from './pace.js';

const IMAGE = pattern(64 * 1024);

/** Holds every request back a number of times, and notes what it was asked. */
class HoldingBack implements Pace {
  readonly admitted: { readonly type: number; readonly bytes: number }[] = [];
  #times: number;

  constructor(readonly waits: number) {
    this.#times = waits;
  }

  admits(type: number, bytes: number): boolean {
    if (this.#times-- > 0) return false;
    this.#times = this.waits;
    this.admitted.push({ type, bytes });
    return true;
  }
}

function serve(pace: Pace, requests: readonly RequestText[], options: Partial<MemoryDriverOptions> = {}) {
  const bytes = Buffer.concat(requests.map(requestBytes));
  return new MemoryDriver({ image: IMAGE, pace, ...options }).serveUntilIdle([bytes]);
}

const kinds = (driver: MemoryDriver) => driver.operations.map(({ step }) => step);

describe('a pace', () => {
  test('is asked once about every request that it admits, with the bytes that it moves', () => {
    const pace = new HoldingBack(0);
    serve(pace, [
      { type: Command.READ, length: 100 },
      { type: Command.WRITE, payload: pattern(200) },
      { type: Command.WRITE, flags: CommandFlag.FUA, payload: pattern(300) },
      { type: Command.TRIM, length: 400 },
      { type: Command.CACHE, length: 500 },
      { type: Command.FLUSH },
      // Refused: no byte is read, and the payload is taken in.
      { type: Command.READ, length: 0 },
      { type: Command.WRITE, offset: IMAGE.length, payload: pattern(600) },
    ]);
    expect(pace.admitted.map(({ bytes }) => bytes)).toEqual([100, 200, 300, 0, 500, 0, 0, 600]);
  });

  test('that holds a request back has what was answered sent first, and waits until it admits it', () => {
    let asked = 0;
    const pace = { admits: () => ++asked < 3 || asked > 5 };
    const read = { type: Command.READ, length: 100 };
    expect(kinds(serve(pace, [read, read, read]))).toEqual([
      ...['read', 'read', 'send', 'wait', 'wait', 'read', 'send'],
    ]);
  });

  test('changes nothing of what is answered', () => {
    const requests: RequestText[] = [
      { type: Command.READ, cookie: 1n, length: 40_000 },
      { type: Command.WRITE, cookie: 2n, payload: pattern(50_000) },
      { type: Command.READ, cookie: 3n, offset: 10, length: 100 },
    ];
    for (const replyMode of ['simple', 'structured'] as const) {
      const options = { replyMode, inputBytes: 8192, outputBytes: 8192 };
      const [paced, free] = [new HoldingBack(2), new HoldingBack(0)].map((pace) =>
        serve(pace, requests, options),
      );
      expect(paced?.sent).toEqual(free?.sent);
      expect(paced?.image).toEqual(free?.image);
    }
  });

  test('T16 is not asked when requests are answered ESHUTDOWN', () => {
    const driver = new MemoryDriver({ image: IMAGE, pace: { admits: () => false } });
    driver.machine.beginShutdown();
    driver.serveUntilIdle([requestBytes({ type: Command.READ, length: 100 })]);
    expect(kinds(driver)).toEqual(['send']);
  });
});
