/**
 * What was found out by hand about what other servers break: read in the specification, and seen with a client that is
 * not ours. By server and rule; a rule that is broken without a remark here has not been looked at.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const remarks = {
  'nbdkit T14':
    'Seen with libnbd too: the process ends with `backend_zero: Assertion "c->can_fast_zero == 1" failed`. A client has to set a flag for it that was not offered, which it must not.',
  'qemu-nbd T4': 'Seen with libnbd too. The error is another one than the specification names.',
  'qemu-nbd T15':
    'A race: requests that have not been answered when DISC is read are not answered any more. A client that waits for its replies before it sends DISC, as it should, notices nothing.',
  'nbd-server N2': 'The flags are taken, and the next option is answered.',
  'nbd-server N5':
    'INFO tells a size of 0, GO the right one. An INFO whose name is longer than the option is answered by two errors, or not at all.',
  'nbd-server N6':
    'The connection is reset without a reply. The specification was unclear about this in the past, and clients are asked to cope.',
  'nbd-server T2': 'The flag is ignored.',
};
