import { declare } from './libc.js';

export const sendmsg = declare<[fd: number, message: number, flags: number]>(
  'int sendmsg(int sockfd, size_t msg, int flags)',
);

/** Where the fields of `struct msghdr` (sendmsg(2)) lie, and its length: bytes, 64-bit little endian. */
export const MessageHeader = {
  IOV_POINTER: 16,
  IOV_COUNT: 24,
  CONTROL_POINTER: 32,
  CONTROL_LENGTH: 40,
  FLAGS: 48,
  BYTES: 56,
} as const;
