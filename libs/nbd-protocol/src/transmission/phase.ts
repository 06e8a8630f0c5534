/** Where the machine stands between two steps. */
export const Phase = {
  /** Between requests. → any other */
  requests: 0,
  /** The payload of a request is taken in. → requests, closing */
  payload: 1,
  /** A READ is answered. → requests, closing */
  read: 2,
  /** A BLOCK_STATUS is answered. → requests, closing */
  status: 3,
  /** Another command is carried out. → requests */
  command: 4,
  /** What is queued is sent, then the connection closes. The last. */
  closing: 5,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];
