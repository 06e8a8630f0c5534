import { expect, test } from 'vitest';
import { describeDatabases } from '../testing/databases.js';
import { deviceOf } from '../testing/records.js';
import { REQUEST_KEPT_MS, REQUESTS_KEPT } from './request-repository.js';
import { openRaw } from '../testing/raw-connection.js';

const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const id = idOf(1);

describeDatabases('requests with an id', (database) => {
  test('are remembered, with what was done for them and what they were answered with', async () => {
    const url = await database.create();
    const store = await database.open(url);
    expect(await store.requests.begin(id, 'f')).toEqual({ id });
    await store.devices.create(deviceOf('a'), { actor: 'operator', reason: '', requestId: id });
    expect(await store.requests.begin(id, 'f')).toEqual({ id, effect: 'REGISTERED' });
    const { attachment } = await store.attachments.begin('a', {
      actor: 'operator',
      reason: '',
      requestId: id,
    });
    await store.requests.finish(id, Buffer.from([0, 255]));
    await store.close();
    expect(await (await database.open(url)).requests.begin(id, 'f')).toEqual({
      id,
      effect: 'ATTACHING',
      attachmentId: attachment.id,
      response: Buffer.from([0, 255]),
    });
  });

  test('Law 2: what was done is noted with it in one transaction, or not at all', async () => {
    const store = await database.open();
    await store.requests.begin(id, 'f');
    await store.devices.create(deviceOf('a'));
    const work = store.audit.transaction(
      { actor: 'operator', reason: '', requestId: id },
      async (tx, note) => {
        await tx.device.updateMany({ where: { id: 'a' }, data: { wantedAttached: true } });
        note({ deviceId: 'a', from: '', to: 'X' });
        note({ deviceId: 'a', from: '', to: 'Y', lease: 2n ** 70n });
      },
    );
    await expect(work).rejects.toThrow();
    expect(await store.requests.begin(id, 'f')).toEqual({ id });
  });

  test('that failed are as if nothing had been done', async () => {
    const store = await database.open();
    await store.requests.begin(id, 'f');
    await store.devices.create(deviceOf('a'), { actor: 'operator', reason: '', requestId: id });
    await store.requests.fail(id);
    expect(await store.requests.begin(id, 'f')).toEqual({ id });
  });

  test('are refused when the id is that of another', async () => {
    const store = await database.open();
    await store.requests.begin(id, 'f');
    await expect(store.requests.begin(id, 'g')).rejects.toMatchObject({
      code: 'REQUEST_ID_REUSED',
      metadata: { requestId: id },
    });
  });

  test('that come at once are one', async () => {
    const store = await database.open();
    const answers = await Promise.all([1, 2, 3, 4].map(() => store.requests.begin(id, 'f')));
    expect(answers).toEqual([{ id }, { id }, { id }, { id }]);
  });

  test('Law 5: are forgotten after a day', async () => {
    const store = await database.open();
    const now = new Date();
    await store.requests.begin(id, 'f', new Date(now.getTime() - REQUEST_KEPT_MS + 1000));
    await expect(store.requests.begin(id, 'g', now)).rejects.toMatchObject({ code: 'REQUEST_ID_REUSED' });
    expect(await store.requests.begin(id, 'g', new Date(now.getTime() + 1000))).toEqual({ id });
  });

  test('Law 5: are forgotten when there are too many, the oldest first', async () => {
    const url = await database.create();
    await (await database.open(url)).requests.begin(id, 'f', new Date(Date.now() - 60_000));
    const raw = await openRaw(url);
    const time = `'${new Date(Date.now() - 30_000).toISOString()}'`;
    const rows = Array.from(
      { length: REQUESTS_KEPT },
      (_, number) => `('${idOf(number + 2)}', 'f', ${time})`,
    );
    await raw.execute(`INSERT INTO "Request" ("id", "fingerprint", "createTime") VALUES ${rows.join(', ')}`);
    // Another process looks when it begins.
    const store = await database.open(url);
    await store.requests.begin(idOf(99_999_999), 'f');
    expect(await raw.column(`SELECT count(*) FROM "Request" WHERE "id" = '${id}'`)).toEqual(['0']);
    expect(Number((await raw.column('SELECT count(*) FROM "Request"'))[0])).toBeGreaterThanOrEqual(
      REQUESTS_KEPT,
    );
    await raw.close();
  });
});
