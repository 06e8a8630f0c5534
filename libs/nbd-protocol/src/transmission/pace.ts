/** Holds requests back, so that a client gets no more than it may. */
export interface Pace {
  /**
   * Whether a request may be begun now. If not, the machine asks again for the same request, until it may.
   *
   * @param type of the request
   * @param bytes the length of a READ or CACHE that will be served, and the length of a payload; else 0
   */
  admits(type: number, bytes: number): boolean;
}
