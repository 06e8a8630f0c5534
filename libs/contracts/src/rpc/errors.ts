import { HoldfastError, isErrorCode, messageOf, type StatusName } from '@holdfast/foundation';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { ErrorInfo } from '../generated/google/rpc/error_details.js';
import { Status } from '../generated/google/rpc/status.js';

/** `domain` of every ErrorInfo that we send (AIP-193). */
export const ERROR_DOMAIN = 'holdfast';

const DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_INFO_TYPE = 'type.googleapis.com/google.rpc.ErrorInfo';

/** What a gRPC server answers instead of a response. */
export interface GrpcFailure {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

const statusByName: Readonly<Record<StatusName, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  FAILED_PRECONDITION: status.FAILED_PRECONDITION,
  ABORTED: status.ABORTED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
};

/** The wire form of an error: its gRPC status and one ErrorInfo with the stable code and the facts. */
export function toGrpcFailure(error: HoldfastError): GrpcFailure {
  const code = statusByName[error.status];
  const info = ErrorInfo.fromPartial({
    reason: error.code,
    domain: ERROR_DOMAIN,
    metadata: { ...error.metadata },
  });
  const rich = Status.fromPartial({
    code,
    message: error.message,
    details: [{ typeUrl: ERROR_INFO_TYPE, value: ErrorInfo.encode(info).finish() }],
  });
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode(rich).finish()));
  return { code, details: error.message, metadata };
}

/** The error that a service sent, or SERVICE_UNAVAILABLE naming `address` when none of ours answered. */
export function fromServiceError(error: ServiceError, address: string): HoldfastError {
  const info = errorInfoOf(error);
  if (info?.domain === ERROR_DOMAIN && isErrorCode(info.reason)) {
    return new HoldfastError(info.reason, error.details, info.metadata, error);
  }
  const unreachable =
    error.code === status.UNAVAILABLE ||
    error.code === status.DEADLINE_EXCEEDED ||
    error.code === status.CANCELLED;
  return unreachable
    ? new HoldfastError(
        'SERVICE_UNAVAILABLE',
        `no answer from ${address}: ${error.details}`,
        { address },
        error,
      )
    : new HoldfastError('INTERNAL', `${address} failed: ${messageOf(error)}`, { address }, error);
}

function errorInfoOf(error: ServiceError): ErrorInfo | undefined {
  const [bytes] = error.metadata.get(DETAILS_KEY);
  if (!Buffer.isBuffer(bytes)) return undefined;
  const detail = Status.decode(bytes).details.find((any) => any.typeUrl === ERROR_INFO_TYPE);
  return detail === undefined ? undefined : ErrorInfo.decode(detail.value);
}
