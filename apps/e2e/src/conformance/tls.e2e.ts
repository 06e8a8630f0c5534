import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startHoldfast } from '../support/holdfast.js';
import { runHoldfast } from '../support/holdfast-program.js';
import { makeImage, MIB } from '../support/image.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { trials, Verdicts } from './verdicts.js';

/** Those that TLS plays a part in, and one that shows that what is behind it works. */
const rules = ['N1', 'N6', 'N7', 'N8', 'N9', 'N11', 'T9'];

const modes = [
  { tls: 'required', of: 'FORCEDTLS' },
  { tls: 'per-export', of: 'SELECTIVETLS' },
] as const;

describe.each(modes)('our own server with TLS $tls ($of) keeps', ({ tls }) => {
  let verdicts: Verdicts;

  beforeAll(async () => {
    const folder = path.join(scratchFolder(), 'tls');
    const made = await runHoldfast(['tls', 'init', '--dir', folder, '--host', 'localhost', '--json']);
    const { server, clients } = JSON.parse(made.stdout) as {
      readonly server: string;
      readonly clients: Readonly<Record<string, string>>;
    };
    const holdfast = await startHoldfast({
      images: [makeImage(MIB)],
      env: { HOLDFAST_TLS: tls, HOLDFAST_TLS_CERTIFICATES: server },
    });
    const uri = `nbds://localhost:${String(holdfast.port)}/disk.img?tls-certificates=${clients['client'] ?? ''}`;
    verdicts = await Verdicts.of(uri, { rules });
    expect(await holdfast.stop()).toBe(0);
  });

  it.each(trials.filter(({ rule }) => rules.includes(rule)))('$name', (trial) => {
    verdicts.expectKept(trial);
  });
});
