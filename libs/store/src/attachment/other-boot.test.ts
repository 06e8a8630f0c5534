import { HoldfastError, type BootId } from '@holdfast/foundation';
import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { attach, deviceOf, identified, identityOf } from '../testing/records.js';

describeDatabases('attachments of another boot', (database) => {
  test('D5: what was identified in another boot is LOST, and its identity free; the rest stays', async () => {
    const store = await database.open();
    const boot = identityOf(1).bootId;
    for (const id of ['a', 'b']) await attach(store, id);
    const { id: other } = await attach(store, 'c');
    await store.attachments.transition(other, 'CONNECTED', 'DRAINING');
    await store.devices.create(deviceOf('d'));
    await store.attachments.begin('d');
    const cause = { actor: 'registry', reason: 'the machine was started anew' } as const;
    expect(await store.attachments.loseOfOtherBoots(boot, cause)).toEqual([]);
    const { newest } = (await store.audit.range()) ?? { newest: 0n };
    expect(await store.attachments.loseOfOtherBoots('another' as BootId, cause)).toEqual(['a', 'b', 'c']);
    const live = await store.attachments.listLive();
    expect(live.map(({ deviceId, state }) => [deviceId, state])).toEqual([['d', 'ATTACHING']]);
    expect(await store.audit.listAfter(newest, 10)).toMatchObject([
      { deviceId: 'a', from: 'CONNECTED', to: 'LOST', ...cause },
      { deviceId: 'b', from: 'CONNECTED', to: 'LOST', ...cause },
      { deviceId: 'c', from: 'DRAINING', to: 'LOST', ...cause },
    ]);
    const lost = (await store.devices.get('a')).attachment;
    await store.devices.create(deviceOf('e'));
    const { attachment } = await store.attachments.begin('e');
    await store.attachments.recordIdentity(attachment.id, identified(lost?.identity ?? identityOf(0)));
  });

  test('one that has ended says why the device is not attached again; one that lives does not', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    const why = new HoldfastError('REATTACHMENT_WITHHELD', 'by hand only');
    await store.attachments.withhold(id, why);
    expect((await store.devices.get('a')).attachment?.errorReason).toBe('');
    await store.attachments.transition(id, 'CONNECTED', 'LOST');
    await store.attachments.withhold(id, why);
    expect((await store.devices.get('a')).attachment).toMatchObject({
      state: 'LOST',
      errorReason: 'REATTACHMENT_WITHHELD',
      errorMessage: 'by hand only',
    });
  });
});
