/** `NBD_FLAG_…` of the greeting, 16 bits (section "Handshake flags"). */
export const HandshakeFlag = {
  FIXED_NEWSTYLE: 1 << 0,
  NO_ZEROES: 1 << 1,
} as const;

/** `NBD_FLAG_C_…`, the client's answer to them, 32 bits (section "Client flags"). */
export const ClientFlag = {
  FIXED_NEWSTYLE: 1 << 0,
  NO_ZEROES: 1 << 1,
} as const;
