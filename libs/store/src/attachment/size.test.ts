import { byteCount } from '@holdfast/foundation';
import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { attach, leaseOf, SIZE_BYTES } from '../testing/records.js';

const GROWN = byteCount(2 * SIZE_BYTES);

describeDatabases('the size of what is attached', (database) => {
  test('is noted with the one before, and a record says so', async () => {
    const store = await database.open();
    const { id, updateTime } = await attach(store, 'a');
    const { newest } = (await store.audit.range()) ?? { newest: 0n };
    expect(await store.attachments.noteSize(id, GROWN)).toBe(SIZE_BYTES);
    expect((await store.devices.get('a')).attachment).toMatchObject({
      sizeBytes: SIZE_BYTES,
      currentSizeBytes: GROWN,
      updateTime,
    });
    expect(await store.attachments.noteSize(id, GROWN)).toBeUndefined();
    expect(await store.audit.listAfter(newest, 10)).toMatchObject([
      {
        from: 'CONNECTED',
        to: 'CONNECTED',
        actor: 'registry',
        reason: expect.stringContaining('grew') as string,
      },
    ]);
  });

  test('of two that note the same, one records it', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    const answers = await Promise.all([1, 2, 3].map(() => store.attachments.noteSize(id, GROWN)));
    expect(answers.filter((before) => before !== undefined)).toEqual([SIZE_BYTES]);
  });

  test('is that of the leases that are granted from then on', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    expect(await store.leases.grant(leaseOf('a', '1'))).toMatchObject({ sizeBytes: SIZE_BYTES });
    await store.attachments.noteSize(id, GROWN);
    expect(await store.leases.grant(leaseOf('a', '2'))).toMatchObject({ sizeBytes: GROWN });
  });

  test('of what has ended, or is not there, is not noted', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    await store.attachments.transition(id, 'CONNECTED', 'LOST');
    expect(await store.attachments.noteSize(id, GROWN)).toBeUndefined();
    expect(await store.attachments.noteSize('none', GROWN)).toBeUndefined();
    expect((await store.devices.get('a')).attachment).toMatchObject({ currentSizeBytes: SIZE_BYTES });
  });
});
