import { beforeAll, describe, it } from 'vitest';
import { engines } from '../support/engines.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { trials, Verdicts } from './verdicts.js';

/** More than the maximum payload. */
const SIZE = 40 * MIB;

describe.each(engines)('our own server, by the $engine engine,', ({ env }) => {
  const found = new Map<string, Verdicts>();

  // An image for each transport: both checks write, at the same time.
  beforeAll(async () => {
    const images = transports.map((transport) =>
      makeImage(SIZE, { name: `${transport}.img`, fill: 'sparse' }),
    );
    const holdfast = await startHoldfast({ images, env });
    await Promise.all(
      transports.map(async (transport) => {
        found.set(transport, await Verdicts.of(holdfast.uri(transport, `${transport}.img`)));
      }),
    );
    await holdfast.stop();
  });

  describe.each(transports)('over %s, keeps', (transport) => {
    it.each(trials)('$name', (trial) => {
      const { rule } = trial;
      found.get(transport)?.expectKept(trial, ...(rule === 'N7' ? [/TLS is not used/] : []));
    });
  });
});
