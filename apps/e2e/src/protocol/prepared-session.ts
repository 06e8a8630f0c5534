import { randomBytes, randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { leaseName, registryV1, workerV1 } from '@holdfast/contracts';
import { sendHandoff, setBlocking, socketPair } from '@holdfast/linux';
import type { Holdfast } from '../support/holdfast.js';
import { ask } from '../support/instance-facts.js';
import { RawClient } from './raw-client.js';

/** Sizes that a gateway may negotiate and that this version has no setting for. */
export interface NegotiatedSizes {
  readonly blockSizeMinimum: number;
  readonly payloadMaximum: number;
}

/**
 * Does what the gateway does once it has negotiated: takes a lease, prepares a session at the worker, and passes a
 * connected socket. @returns the other end, in transmission
 */
export async function prepareSession(
  { layout }: Holdfast,
  device: string,
  sizes: NegotiatedSizes,
): Promise<RawClient> {
  const name = `sessions/${randomUUID()}`;
  const token = randomBytes(16);
  const lease = await ask(registryV1.LeaseServiceService, layout.registrySocket, (service) =>
    service.acquireLease({
      device: `devices/${device}`,
      access: registryV1.Access.ACCESS_READ_WRITE,
      session: name,
      clientGroup: '',
    }),
  );
  const session = workerV1.Session.fromPartial({
    name,
    export: `exports/${device}`,
    attachment: lease.attachment,
    lease: leaseName.parse(lease.name),
    epoch: lease.epoch,
    clientAddress: 'a test',
    startTime: new Date(),
    ...sizes,
  });
  await ask(workerV1.SessionServiceService, layout.workerSocket, (service) =>
    service.prepareSession({ session, token, workerInstance: lease.workerInstance }),
  );
  const [mine, theirs] = socketPair();
  await sendHandoff(layout.workerHandoff, token, new Uint8Array(), theirs.number);
  theirs.close();
  setBlocking(mine.number, false);
  const socket = new Socket({ fd: mine.release(), readable: true, writable: true, allowHalfOpen: true });
  return new RawClient(socket, 'unix');
}
