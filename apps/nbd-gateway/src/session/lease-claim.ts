import { createHash } from 'node:crypto';
import { registryV1 } from '@holdfast/contracts';
import type { ExportRecord } from '@holdfast/store';
import { clientOf } from '../client/client-peer.js';
import type { ConnectedClient } from '../client/connected-client.js';

/** What the registry takes as a group; longer ones are told apart by their hash. */
const GROUP_BYTES_MAX = 255;

type Claim = Pick<registryV1.AcquireLeaseRequest, 'access' | 'clientGroup'>;

/** What a session asks the registry for: as much of the device as its export leaves to one client. */
export function claimOf(
  { writers }: Pick<ExportRecord, 'writers'>,
  client: Pick<ConnectedClient, 'address' | 'certificateNames'>,
  readOnly: boolean,
): Claim {
  const { ACCESS_READ_ONLY, ACCESS_READ_WRITE, ACCESS_EXCLUSIVE } = registryV1.Access;
  if (readOnly) return { access: ACCESS_READ_ONLY, clientGroup: '' };
  switch (writers) {
    case 'ANY':
      return { access: ACCESS_READ_WRITE, clientGroup: '' };
    case 'ONE_CLIENT':
      return { access: ACCESS_READ_WRITE, clientGroup: groupOf(client) };
    case 'ONE_CONNECTION':
      return { access: ACCESS_EXCLUSIVE, clientGroup: '' };
  }
}

/**
 * Whose connection this is: what its certificate proves; else the user of the Unix socket, or the address without the
 * port.
 */
function groupOf({
  address,
  certificateNames = [],
}: Pick<ConnectedClient, 'address' | 'certificateNames'>): string {
  if (certificateNames.length === 0) return clientOf(address);
  const group = `certificate:${[...certificateNames].sort().join('\n')}`;
  if (Buffer.byteLength(group) <= GROUP_BYTES_MAX) return group;
  return `certificate:sha256:${createHash('sha256').update(group).digest('hex')}`;
}
