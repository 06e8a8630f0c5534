import {
  attachmentName,
  deviceName,
  formatPageToken,
  leaseName,
  parsePage,
  registryV1,
  sessionName,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { Access } from '@holdfast/lease';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import type { LeaseRecord } from '@holdfast/store';
import { Inject } from '@nestjs/common';
import { STORE, type StoreToken } from '../store.provider.js';
import { LeaseService } from './lease.service.js';

const { Access: AccessCode } = registryV1;

/** Name of a group of clients that share a lease: as long as any other name. */
const CLIENT_GROUP_BYTES_MAX = 255;

const accessCodes: Readonly<Record<Access, registryV1.Access>> = {
  READ_ONLY: AccessCode.ACCESS_READ_ONLY,
  READ_WRITE: AccessCode.ACCESS_READ_WRITE,
  EXCLUSIVE: AccessCode.ACCESS_EXCLUSIVE,
};

@GrpcController(registryV1.LeaseServiceService)
export class LeaseController implements GrpcControllerOf<registryV1.LeaseServiceService> {
  constructor(
    private readonly leases: LeaseService,
    @Inject(STORE) private readonly store: StoreToken,
  ) {}

  async acquireLease(request: registryV1.AcquireLeaseRequest): Promise<registryV1.Lease> {
    return toLeaseMessage(
      await this.leases.acquire({
        deviceId: deviceName.parse(request.device, 'device'),
        access: parseAccess(request.access),
        clientGroup: parseClientGroup(request.clientGroup),
        session: sessionName.parse(request.session, 'session'),
      }),
    );
  }

  async releaseLease(request: registryV1.ReleaseLeaseRequest): Promise<Record<string, never>> {
    await this.leases.release(leaseName.parse(request.name));
    return {};
  }

  async releaseUnusedLeases(): Promise<registryV1.ReleaseUnusedLeasesResponse> {
    return { released: await this.leases.releaseUnused() };
  }

  async listLeases(request: registryV1.ListLeasesRequest): Promise<registryV1.ListLeasesResponse> {
    const { pageSize, after } = parsePage(request);
    const page = await this.store.leases.list({
      pageSize,
      after: after === undefined ? undefined : leaseName.parse(`leases/${after}`, 'page_token'),
      deviceId: request.device === '' ? undefined : deviceName.parse(request.device, 'device'),
    });
    return {
      leases: page.items.map(toLeaseMessage),
      nextPageToken: formatPageToken(page.next?.toString()),
    };
  }
}

function parseAccess(access: registryV1.Access): Access {
  switch (access) {
    case AccessCode.ACCESS_READ_ONLY:
      return 'READ_ONLY';
    case AccessCode.ACCESS_READ_WRITE:
      return 'READ_WRITE';
    case AccessCode.ACCESS_EXCLUSIVE:
      return 'EXCLUSIVE';
    case AccessCode.ACCESS_UNSPECIFIED:
    case AccessCode.UNRECOGNIZED:
    default:
      // The wire carries any number, whatever the type says.
      throw new HoldfastError('INVALID_ARGUMENT', 'access must be READ_ONLY, READ_WRITE or EXCLUSIVE', {
        field: 'access',
      });
  }
}

function parseClientGroup(group: string): string {
  if (Buffer.byteLength(group) <= CLIENT_GROUP_BYTES_MAX) return group;
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `client_group must be at most ${String(CLIENT_GROUP_BYTES_MAX)} bytes`,
    { field: 'client_group' },
  );
}

function toLeaseMessage(lease: LeaseRecord): registryV1.Lease {
  return {
    name: leaseName.format(lease.number),
    device: deviceName.format(lease.deviceId),
    attachment: attachmentName.format(lease.deviceId, lease.attachmentId),
    epoch: lease.epoch,
    access: accessCodes[lease.access],
    clientGroup: lease.clientGroup,
    fenced: lease.state === 'FENCED',
    session: sessionName.format(lease.session),
    workerInstance: lease.workerInstance,
    sizeBytes: BigInt(lease.sizeBytes),
    createTime: lease.createTime,
  };
}
