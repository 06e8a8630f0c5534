import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { runHoldfast } from '../support/holdfast-program.js';
import { makeImage, MIB } from '../support/image.js';

let holdfast: Holdfast;
let image: string;

beforeAll(async () => {
  image = makeImage(MIB);
  holdfast = await startHoldfast({ images: [image] });
});

function check(...args: readonly string[]) {
  return runHoldfast(['nbd', 'check', holdfast.uri('unix'), ...args]);
}

function digest(): string {
  return createHash('sha256').update(readFileSync(image)).digest('hex');
}

describe('holdfast nbd check', () => {
  it('says what is kept, and ends with 0', async () => {
    const { code, stdout, stderr } = await check('--rule', 'n1,T14');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^RULE +MODE +VERDICT +WHAT\nN1 +- +kept +/);
    expect(stdout).toContain('1 kept, 0 broken, 0 not offered, 3 not tried\n');
  });

  it('writes with --write only, says where, and leaves what was there', async () => {
    const before = digest();
    const { code, stdout, stderr } = await check('--rule', 'T14', '--write', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stderr)).toMatchObject({
      message: expect.stringContaining('writing to 65536 bytes from offset 524288') as string,
    });
    expect(JSON.parse(stdout)).toMatchObject({ counts: { kept: 3, broken: 0 } });
    expect(digest()).toBe(before);
  });

  it.each([
    [['--rule', 'N13'], 1],
    [['--rule', 'X1'], 64],
    [['--timeout', '0'], 64],
  ])('refuses %j', async (args, code) => {
    expect((await check(...args)).code).toBe(code);
  });

  it('ends with 1 where nothing listens', async () => {
    const { code, stderr } = await runHoldfast(['nbd', 'check', 'nbd+unix:///?socket=/nonexistent/s']);
    expect(code).toBe(1);
    expect(stderr).toContain('NBD_SERVER_UNREACHABLE');
  });
});
