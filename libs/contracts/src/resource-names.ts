import { checkResourceId, HoldfastError } from '@holdfast/foundation';

/**
 * Resource names (AIP-122): `devices/{device}`, `devices/{device}/attachments/{attachment}`, `leases/{number}`,
 * `exports/{export}`, `sessions/{session}`, `allocators/{allocator}`, `maps/{map}`,
 * `programs/{program}`.
 */
function collection(segment: string) {
  return {
    /** `{segment}/{id}` */
    format: (id: string): string => `${segment}/${id}`,
    /**
     * The id of a name in this collection.
     *
     * @throws HoldfastError INVALID_ARGUMENT naming `field`
     */
    parse: (name: string, field = 'name'): string => {
      if (!name.startsWith(`${segment}/`)) {
        throw new HoldfastError('INVALID_ARGUMENT', `${field} must be "${segment}/…", got "${name}"`, {
          field,
        });
      }
      return checkResourceId(name.slice(segment.length + 1), field);
    },
  };
}

export const deviceName = collection('devices');
export const exportName = collection('exports');
export const sessionName = collection('sessions');
export const allocatorName = collection('allocators');
export const mapName = collection('maps');
export const programName = collection('programs');

const leases = collection('leases');

/** The databases count leases in a signed 64-bit column. */
const LEASE_NUMBER_MAX = 2n ** 63n - 1n;

export const leaseName = {
  format: (number: bigint): string => leases.format(number.toString()),
  parse: (name: string, field = 'name'): bigint => {
    const digits = leases.parse(name, field);
    if (!/^[1-9]\d{0,18}$/.test(digits) || BigInt(digits) > LEASE_NUMBER_MAX) {
      throw new HoldfastError('INVALID_ARGUMENT', `${field} must be "leases/" and a number, got "${name}"`, {
        field,
      });
    }
    return BigInt(digits);
  },
};

export const attachmentName = {
  format: (device: string, attachment: string): string => `devices/${device}/attachments/${attachment}`,
  parse: (name: string, field = 'name'): { device: string; attachment: string } => {
    const [head, device, middle, attachment, ...rest] = name.split('/');
    if (
      head !== 'devices' ||
      middle !== 'attachments' ||
      device === undefined ||
      attachment === undefined ||
      rest.length > 0
    ) {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        `${field} must be "devices/…/attachments/…", got "${name}"`,
        { field },
      );
    }
    return { device: checkResourceId(device, field), attachment: checkResourceId(attachment, field) };
  },
};
