import { AssertionFailure, type BootId, type Diskseq } from '@holdfast/foundation';
import type { AttachmentState } from '@holdfast/lease';
import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import {
  attach,
  deviceOf,
  identified,
  identityOf,
  leaseOf,
  reattach,
  SIZE_BYTES,
} from '../testing/records.js';

describeDatabases('attachments', (database) => {
  test('Law 2: beginning writes the intent, with everything that it says', async () => {
    const store = await database.open();
    await store.devices.create(deviceOf('a'));
    const result = await store.attachments.begin('a');
    expect(result.kind).toBe('attaching');
    expect(result.attachment).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      deviceId: 'a',
      state: 'ATTACHING',
      epoch: 1n,
      verified: false,
      sizeBytes: 0,
      currentSizeBytes: 0,
      errorReason: '',
      errorMessage: '',
      updateTime: expect.any(Date) as Date,
    });
    expect(await store.devices.get('a')).toMatchObject({
      wantedAttached: true,
      attachment: result.attachment,
    });
  });

  test('beginning on what is connected answers with it; on what is under way it is refused', async () => {
    const store = await database.open();
    const connected = await attach(store, 'a');
    await store.devices.setWanted('a', false);
    expect(await store.attachments.begin('a')).toEqual({ kind: 'connected', attachment: connected });
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: true });

    await store.attachments.beginDetach('a');
    await expect(store.attachments.begin('a')).rejects.toMatchObject({
      code: 'DEVICE_BUSY',
      metadata: { device: 'a', state: 'DETACHING' },
    });
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: false });

    await store.devices.create(deviceOf('b'));
    await store.attachments.begin('b');
    await expect(store.attachments.begin('b')).rejects.toMatchObject({ code: 'DEVICE_BUSY' });
    await expect(store.attachments.begin('c')).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
  });

  test('Law 4: the epoch rises with every attachment, whatever became of the last one', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    await store.attachments.transition(id, 'CONNECTED', 'LOST');
    const second = await store.attachments.begin('a');
    expect(second.attachment).toMatchObject({ epoch: 2n, state: 'ATTACHING' });
    expect(second.attachment.id).not.toBe(id);
    expect(second.attachment.identity).toBeUndefined();
    await store.attachments.transition(second.attachment.id, 'ATTACHING', 'FAILED');
    expect((await reattach(store, 'a')).epoch).toBe(3n);
  });

  test('Law 4: of many who begin at once, one attaches, and the epoch rises by one', async () => {
    const url = await database.create();
    const stores = [await database.open(url), await database.open(url)];
    await stores[0]?.devices.create(deviceOf('a'));
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => stores.map((store) => store.attachments.begin('a'))).flat(),
    );
    const begun = all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(begun).toMatchObject([{ kind: 'attaching', attachment: { epoch: 1n } }]);
    for (const result of all) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'DEVICE_BUSY' });
    }
  });

  test('D5 an identity is stored whole, all 64 bits of it, with its boot id', async () => {
    const store = await database.open();
    await store.devices.create(deviceOf('a'));
    const { attachment } = await store.attachments.begin('a');
    const identity = {
      bootId: 'b' as BootId,
      major: 4095,
      minor: 1_048_575,
      inode: 0xffff_ffff_ffff_ffffn,
      diskseq: 0xffff_ffff_ffff_fffen as Diskseq,
    };
    await store.attachments.recordIdentity(attachment.id, identified(identity));
    expect(await store.devices.get('a')).toMatchObject({
      attachment: { identity, sizeBytes: SIZE_BYTES, verified: true },
    });
  });

  test('D2 an identity without a diskseq stays without', async () => {
    const store = await database.open();
    await store.devices.create(deviceOf('a'));
    const { attachment } = await store.attachments.begin('a');
    const identity = { bootId: 'b' as BootId, major: 7, minor: 0, inode: 5n };
    const recorded = await store.attachments.recordIdentity(attachment.id, identified(identity, false));
    expect(recorded.identity).toStrictEqual(identity);
    expect(recorded.verified).toBe(false);
  });

  test('what another NBD server offers is kept in place of an identity, of any number of attachments', async () => {
    const store = await database.open();
    const blockSize = { minimum: 512, preferred: 4096, payloadMaximum: 65_536 };
    const remote = { transmissionFlags: 0xffff, blockSize, baseAllocation: true };
    for (const id of ['a', 'b']) {
      await store.devices.create(deviceOf(id));
      const { attachment } = await store.attachments.begin(id);
      const recorded = await store.attachments.recordRemote(attachment.id, { remote, sizeBytes: SIZE_BYTES });
      expect(recorded).toMatchObject({ remote, sizeBytes: SIZE_BYTES, verified: false });
      expect(recorded.identity).toBeUndefined();
      await store.attachments.transition(attachment.id, 'ATTACHING', 'CONNECTED');
      expect((await store.devices.get(id)).attachment).toMatchObject({ state: 'CONNECTED', remote });
      await expect(
        store.attachments.recordRemote(attachment.id, { remote, sizeBytes: SIZE_BYTES }),
      ).rejects.toMatchObject({ code: 'DEVICE_BUSY' });
    }
    const begun = await store.attachments.beginDetach('a');
    expect(begun).toMatchObject({ kind: 'detaching' });
  });

  test('Law 1 nothing is CONNECTED that was neither identified nor asked', async () => {
    const store = await database.open();
    await store.devices.create(deviceOf('a'));
    const { attachment } = await store.attachments.begin('a');
    await expect(store.attachments.transition(attachment.id, 'ATTACHING', 'CONNECTED')).rejects.toThrow();
  });

  test('one identity is attached once, and the error names where', async () => {
    const store = await database.open();
    for (const id of ['a', 'b']) await store.devices.create(deviceOf(id));
    const a = (await store.attachments.begin('a')).attachment.id;
    const b = (await store.attachments.begin('b')).attachment.id;
    await store.attachments.recordIdentity(a, identified(identityOf(1)));
    await expect(store.attachments.recordIdentity(b, identified(identityOf(1)))).rejects.toMatchObject({
      code: 'DEVICE_ATTACHED_TWICE',
      metadata: { device: 'a' },
    });
    // It is free again once the other has ended, and the same attachment may go on.
    await store.attachments.transition(a, 'ATTACHING', 'FAILED');
    await store.attachments.recordIdentity(b, identified(identityOf(1)));
    // What the ended one was is still told.
    expect(await store.devices.get('a')).toMatchObject({ attachment: { identity: identityOf(1) } });
  });

  test('of two who record one identity at once, one is refused', async () => {
    const url = await database.create();
    const [one, other] = [await database.open(url), await database.open(url)];
    for (const id of ['a', 'b']) await one.devices.create(deviceOf(id));
    const a = (await one.attachments.begin('a')).attachment.id;
    const b = (await one.attachments.begin('b')).attachment.id;
    const results = await Promise.allSettled([
      one.attachments.recordIdentity(a, identified(identityOf(1))),
      other.attachments.recordIdentity(b, identified(identityOf(1))),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'DEVICE_ATTACHED_TWICE' },
    });
  });

  test('an attachment goes where the table says, with what is said on the way', async () => {
    const store = await database.open();
    await store.devices.create(deviceOf('a'));
    const { attachment } = await store.attachments.begin('a');
    const failed = await store.attachments.transition(attachment.id, 'ATTACHING', 'FAILED', {
      errorReason: 'DEVICE_OPEN_FAILED',
      errorMessage: 'no such file',
      wantedAttached: false,
    });
    expect(failed).toMatchObject({
      state: 'FAILED',
      errorReason: 'DEVICE_OPEN_FAILED',
      errorMessage: 'no such file',
    });
    expect(failed.updateTime.getTime()).toBeGreaterThanOrEqual(attachment.updateTime.getTime());
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: false, attachment: failed });
  });

  test('a change is refused when the attachment has moved on, or was replaced', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    await expect(store.attachments.transition(id, 'ATTACHING', 'CONNECTED')).rejects.toMatchObject({
      code: 'DEVICE_BUSY',
      metadata: { device: 'a', state: 'CONNECTED' },
    });
    await expect(store.attachments.recordIdentity(id, identified(identityOf(9)))).rejects.toMatchObject({
      code: 'DEVICE_BUSY',
    });
    await store.attachments.transition(id, 'CONNECTED', 'LOST');
    await store.attachments.begin('a');
    const late = store.attachments.transition(id, 'CONNECTED', 'LOST', { wantedAttached: false });
    await expect(late).rejects.toMatchObject({ code: 'DEVICE_BUSY', metadata: { attachment: id } });
    expect(await store.devices.get('a')).toMatchObject({
      wantedAttached: true,
      attachment: { state: 'ATTACHING' },
    });
  });

  test('what is not in the table throws by name, and so does detaching without beginDetach', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    const from: AttachmentState = 'RELEASED';
    await expect(store.attachments.transition(id, from, 'CONNECTED' as never)).rejects.toThrow(
      AssertionFailure,
    );
    // @ts-expect-error — beginDetach alone looks for leases
    const detaching = store.attachments.transition(id, 'CONNECTED', 'DETACHING');
    await expect(detaching).rejects.toThrow('beginDetach alone leads to DETACHING');
  });

  test('detaching: the intent, the outcome, and repeating it', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    const begun = await store.attachments.beginDetach('a');
    expect(begun).toMatchObject({ kind: 'detaching', attachment: { id, state: 'DETACHING' } });
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: false });
    await expect(store.attachments.beginDetach('a')).rejects.toMatchObject({ code: 'DEVICE_BUSY' });
    const released = await store.attachments.transition(id, 'DETACHING', 'RELEASED');
    expect(released.state).toBe('RELEASED');
    expect(await store.attachments.beginDetach('a')).toEqual({ kind: 'detached' });
    await expect(store.attachments.beginDetach('b')).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
  });

  test('detaching for a restart leaves the wish; detaching what is detached clears it', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    await store.attachments.beginDetach('a', { keepWanted: true });
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: true });
    await store.attachments.transition(id, 'DETACHING', 'RELEASED');
    await store.attachments.beginDetach('a');
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: false });
  });

  test('a refused detach is undone, wish and all', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    await store.attachments.beginDetach('a');
    const undone = await store.attachments.transition(id, 'DETACHING', 'CONNECTED', { wantedAttached: true });
    expect(undone).toMatchObject({ state: 'CONNECTED', sizeBytes: SIZE_BYTES });
    expect(await store.devices.get('a')).toMatchObject({ wantedAttached: true });
    await store.leases.grant(leaseOf('a', 's'));
  });

  test('Law 1: nothing is detached while leases are live, and the message names their sessions', async () => {
    const store = await database.open();
    await attach(store, 'a');
    const first = await store.leases.grant(leaseOf('a', 'session-1'));
    const second = await store.leases.grant(leaseOf('a', 'session-2'));
    await expect(store.attachments.beginDetach('a')).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      metadata: { device: 'a', sessions: 'session-1, session-2' },
    });
    expect(await store.devices.get('a')).toMatchObject({
      wantedAttached: true,
      attachment: { state: 'CONNECTED' },
    });
    await store.leases.release([first.number, second.number]);
    expect(await store.attachments.beginDetach('a')).toMatchObject({ kind: 'detaching' });
  });

  test('Law 1: leases of a lost attachment stand in the way of the next one until they are released', async () => {
    const store = await database.open();
    const { id } = await attach(store, 'a');
    const { number } = await store.leases.grant(leaseOf('a', 'session-1'));
    await store.attachments.transition(id, 'CONNECTED', 'LOST');
    await expect(store.attachments.begin('a')).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      metadata: { sessions: 'session-1' },
    });
    await store.leases.release([number]);
    expect(await store.attachments.begin('a')).toMatchObject({ kind: 'attaching' });
  });

  test('the live ones are listed', async () => {
    const store = await database.open();
    for (const id of ['c', 'b', 'a', 'd']) await attach(store, id);
    await store.attachments.beginDetach('b');
    const lost = await store.devices.get('a');
    await store.attachments.transition(lost.attachment?.id ?? '', 'CONNECTED', 'LOST');
    const live = await store.attachments.listLive();
    expect(live.map(({ deviceId, state }) => [deviceId, state])).toEqual([
      ['b', 'DETACHING'],
      ['c', 'CONNECTED'],
      ['d', 'CONNECTED'],
    ]);
  });
});
