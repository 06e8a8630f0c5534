/** `NBD_E…`: the closed set of errors that a reply may carry (section "Error values"). */
export const NbdError = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const;
export type NbdError = (typeof NbdError)[keyof typeof NbdError];

/** Linux errnos that the specification maps by name, or that have an evident counterpart in its set. */
const EFBIG = 27;
const EROFS = 30;
const EDQUOT = 122;

/**
 * The NBD error for a Linux errno (not 0). Spec, "Error values": EDQUOT and EFBIG become ENOSPC. What the set has
 * no word for is an EIO: the client can do nothing more specific about it.
 */
export function toNbdError(linuxErrno: number): NbdError {
  switch (linuxErrno) {
    case NbdError.EPERM:
    case NbdError.EIO:
    case NbdError.ENOMEM:
    case NbdError.EINVAL:
    case NbdError.ENOSPC:
    case NbdError.EOVERFLOW:
    case NbdError.ENOTSUP:
    case NbdError.ESHUTDOWN:
      return linuxErrno;
    case EDQUOT:
    case EFBIG:
      return NbdError.ENOSPC;
    case EROFS:
      return NbdError.EPERM;
    default:
      return NbdError.EIO;
  }
}
