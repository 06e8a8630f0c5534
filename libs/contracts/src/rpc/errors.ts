import { HoldfastError, isErrorCode, messageOf, type StatusName } from '@holdfast/foundation';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { ErrorInfo } from '../generated/google/rpc/error_details.js';
import { Status } from '../generated/google/rpc/status.js';

/** `domain` of every ErrorInfo that we send (AIP-193). */
export const ERROR_DOMAIN = 'holdfast';

const DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_INFO_TYPE = 'type.googleapis.com/google.rpc.ErrorInfo';

/**
 * Characters of an error's sentence and of each of its facts. They travel as HTTP/2 trailers, of which Node sends at
 * most 64 KiB in all: beyond that the caller would wait for its deadline and never hear why. Errors quote what a
 * caller sent, so this is the caller's to choose unless it is bounded here.
 */
const MESSAGE_CHARS_MAX = 2048;
const FACT_CHARS_MAX = 1024;

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
  const message = shortened(error.message, MESSAGE_CHARS_MAX);
  const facts = Object.entries(error.metadata).map(([key, fact]) => [key, shortened(fact, FACT_CHARS_MAX)]);
  const info = ErrorInfo.fromPartial({
    reason: error.code,
    domain: ERROR_DOMAIN,
    metadata: Object.fromEntries(facts) as Record<string, string>,
  });
  const rich = Status.fromPartial({
    code,
    message,
    details: [{ typeUrl: ERROR_INFO_TYPE, value: ErrorInfo.encode(info).finish() }],
  });
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode(rich).finish()));
  return { code, details: message, metadata };
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
  try {
    const detail = Status.decode(bytes).details.find((any) => any.typeUrl === ERROR_INFO_TYPE);
    return detail === undefined ? undefined : ErrorInfo.decode(detail.value);
  } catch {
    // Whatever answers at the address is not one of ours; thrown here it would end this process.
    return undefined;
  }
}

/** Both ends of a text that is too long: an error begins with what failed and ends with why. */
function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text.toWellFormed();
  const half = charsMax / 2;
  return `${text.slice(0, half)} … ${text.slice(-half)}`.toWellFormed();
}
