import { toDuration } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { recordOf, startScene } from '../testing/scene.js';
import { ReservationController } from './reservation.controller.js';

const DISK = 'devices/disk';
const HOLDER = 'allocators/pool';

test('Law 1 a device that is reserved is not detached by force either, and its sessions live on', async () => {
  const { registry, worker } = await startScene('attached');
  const reservations = new ReservationController(registry.store);
  const request = { deviceId: 'disk', access: 'READ_WRITE', session: 's' } as const;
  const { number } = await registry.leases.acquire(request);
  worker.beginSession(number, 's');
  const reserved = await reservations.reserveDevice({ device: DISK, holder: HOLDER });
  expect(reserved).toMatchObject({ reservation: { device: DISK, holder: HOLDER }, readOnly: false });

  const detach = (force: boolean) =>
    registry.devicesApi.detachDevice({ name: DISK, drainTimeout: toDuration(5), force });
  for (const force of [false, true]) {
    await expect(detach(force)).rejects.toMatchObject({
      code: 'DEVICE_IN_USE',
      metadata: { device: 'disk', reservations: HOLDER },
    });
  }
  expect(await registry.store.leases.listAll()).toMatchObject([{ state: 'GRANTED' }]);
  const explained = await registry.devicesApi.explainRelease({ name: DISK });
  expect(explained.reservations).toEqual([reserved.reservation]);

  await reservations.releaseReservation({ device: DISK, holder: HOLDER });
  await detach(true);
  expect((await recordOf(registry, 'disk')).state).toBe('RELEASED');
});

test('reservations are listed in pages, and a holder must be a resource name', async () => {
  const { registry } = await startScene('attached');
  const reservations = new ReservationController(registry.store);
  for (const holder of ['allocators/a', 'allocators/b'])
    await reservations.reserveDevice({ device: DISK, holder });
  const all = { device: '', holder: '', pageSize: 1, pageToken: '' };
  const first = await reservations.listReservations(all);
  const second = await reservations.listReservations({ ...all, pageToken: first.nextPageToken });
  expect([first, second].map((page) => page.reservations[0]?.holder)).toEqual([
    'allocators/a',
    'allocators/b',
  ]);
  expect(second.nextPageToken).toBe('');
  for (const holder of ['', 'pool', 'a/b/c', `allocators/${'x'.repeat(300)}`]) {
    const refused = reservations.reserveDevice({ device: DISK, holder });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});
