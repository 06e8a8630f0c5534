/** `NBD_OPT_…`, the options that this server knows; every other is answered ERR_UNSUP (section "Option types"). */
export const Option = {
  EXPORT_NAME: 1,
  ABORT: 2,
  LIST: 3,
  INFO: 6,
  GO: 7,
} as const;
