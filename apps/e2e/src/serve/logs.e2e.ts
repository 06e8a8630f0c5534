import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stopDeadlineMs } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { engines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly session?: string;
}

const WARN = 40;

function logOf({ layout }: Holdfast, service?: string): LogLine[] {
  const files = readdirSync(layout.logs).filter((name) => service === undefined || name === `${service}.log`);
  const lines = files.flatMap((name) => readFileSync(path.join(layout.logs, name), 'utf8').split('\n'));
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogLine);
}

describe.each(engines)('the log of a session, $engine engine', ({ engine, env }) => {
  it('says who came for what, and what they did until they went', async () => {
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    const session = await NbdSession.open(holdfast, 'disk.img', 'unix');
    expect(await session.write(0, Buffer.alloc(4096))).toMatchObject({ error: 0 });
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });
    session.hangUp();

    const lines = await eventually('its end', () => {
      const found = logOf(holdfast, 'io-worker').filter((line) => line.session !== undefined);
      return found.length >= 2 && found;
    });

    const common = {
      level: 30,
      session: expect.stringMatching(/^sessions\//) as string,
      export: 'exports/disk.img',
      clientAddress: `unix:pid=${String(process.pid)},uid=${String(process.getuid?.())}`,
      engine,
    };
    expect(lines).toMatchObject([
      { ...common, msg: 'session opened', lease: expect.stringMatching(/^\d+$/) as string, readOnly: false },
      {
        ...common,
        msg: 'session closed',
        reason: expect.any(String) as string,
        durationMs: expect.any(Number) as number,
        requests: 2,
        bytesRead: 512,
        bytesWritten: 4096,
        errors: 0,
      },
    ]);
  });
});

describe('the log of an orderly stop', () => {
  it('T16 has no warnings, and gives the worker the time that its settings say', async () => {
    const env = { HOLDFAST_WORKER_DRAIN_MS: '45000' };
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    const session = await NbdSession.open(holdfast, 'disk.img');
    expect(await session.read(0, 512)).toMatchObject({ error: 0 });

    expect(await holdfast.stop()).toBe(0);

    expect(logOf(holdfast).filter(({ level }) => level >= WARN)).toEqual([]);
    expect(logOf(holdfast, 'io-worker').find(({ msg }) => msg === 'stopping')).toMatchObject({
      deadlineMs: stopDeadlineMs(45_000),
    });
    expect(logOf(holdfast, 'device-registry').map(({ msg }) => msg)).toContain('the worker has stopped');
  });
});
