/** `NBD_INFO_…`, the items a client may ask for in INFO and GO (section "Option reply types", `NBD_REP_INFO`). */
export const InfoType = {
  EXPORT: 0,
  NAME: 1,
  DESCRIPTION: 2,
  BLOCK_SIZE: 3,
} as const;
