import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { scratchFolder } from '../support/scratch-folder.js';

describe('serve with a DATABASE_URL', () => {
  it('says which database it uses, and uses it', async () => {
    const database = path.join(scratchFolder(), 'records.db');
    const env = { DATABASE_URL: `file:${database}` };
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    expect(holdfast.stderr()).toContain(
      `holdfast: records are kept in file:${database}, as DATABASE_URL says`,
    );
    expect(existsSync(database)).toBe(true);
    expect(existsSync(holdfast.layout.database)).toBe(false);
  });

  it('has nothing to say about the one in its state folder', async () => {
    const env = { DATABASE_URL: '' };
    await using holdfast = await startHoldfast({ images: [makeImage(MIB)], env });
    expect(holdfast.stderr()).not.toContain('DATABASE_URL');
    expect(existsSync(holdfast.layout.database)).toBe(true);
  });
});
