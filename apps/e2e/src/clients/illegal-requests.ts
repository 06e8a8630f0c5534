/** Requests that a client must not make, as nbdsh makes them, and what each is answered with. */

/** How replies look, which is for the client to choose. */
export type Mode = 'simple' | 'structured' | 'extended';

/** What nbdsh says to have replies of a mode; the best is the default. */
const ASKING: Readonly<Record<Mode, string>> = {
  simple: 'h.set_request_structured_replies(False)',
  structured: 'if hasattr(h, "set_request_extended_headers"): h.set_request_extended_headers(False)',
  extended: 'h.set_request_extended_headers(True)',
};

const STATUS: Readonly<Record<Mode, string>> = {
  simple: 'assert not h.get_structured_replies_negotiated()',
  structured: 'assert h.get_structured_replies_negotiated()',
  extended: 'assert h.get_extended_headers_negotiated()',
};

/** A script of nbdsh without a connection of its own; it prints a line for each refusal. */
export function illegalScript(uri: string, mode: Mode): string {
  return `
import errno
h.add_meta_context("base:allocation")
${ASKING[mode]}
h.connect_uri("${uri}")
${STATUS[mode]}
# All is allowed but to leave out PAYLOAD_LEN, without which nobody knows where the next request begins.
h.set_strict_mode(getattr(nbd, "STRICT_AUTO_FLAG", 0))
def refused(what, call):
    try: call()
    except nbd.Error as error: print(what, errno.errorcode[error.errnum])
    else: print(what, "was allowed")
end = h.get_size()
ignore = lambda *args: 0
h.pwrite(b"x" * 4096, 0)
refused("T4 read", lambda: h.pread(512, end - 1))
refused("T4 read far", lambda: h.pread(512, 1 << 62))
refused("T4 write", lambda: h.pwrite(bytes(512), end - 511))
refused("T4 zero", lambda: h.zero(512, end))
refused("T4 trim", lambda: h.trim(512, end))
refused("T4 cache", lambda: h.cache(512, end))
refused("T7 read", lambda: h.pread(0, 0))
refused("T7 write", lambda: h.pwrite(b"", 0))
refused("T7 trim", lambda: h.trim(0, 0))
refused("T2 read", lambda: h.pread(512, 0, 0x80))
refused("T2 write", lambda: h.pwrite(bytes(512), 0, nbd.CMD_FLAG_NO_HOLE))
refused("T2 trim", lambda: h.trim(512, 0, nbd.CMD_FLAG_FAST_ZERO))
refused("T2 flush", lambda: h.flush(nbd.CMD_FLAG_REQ_ONE))
refused("T2 zero", lambda: h.zero(512, 0, nbd.CMD_FLAG_DF))
refused("T5 read", lambda: h.pread((32 << 20) + 1, 0))
${mode === 'simple' ? '' : 'refused("T11 status", lambda: h.block_status(512, end, ignore))'}
assert h.pread(4096, 0) == b"x" * 4096
h.trim(4096, 4096, nbd.CMD_FLAG_FUA)
h.shutdown()
`;
}

/** What the script prints. */
export function illegalAnswers(mode: Mode): string[] {
  return [
    'T4 read EINVAL',
    'T4 read far EINVAL',
    'T4 write ENOSPC',
    'T4 zero ENOSPC',
    'T4 trim EINVAL',
    'T4 cache EINVAL',
    'T7 read EINVAL',
    'T7 write EINVAL',
    'T7 trim EINVAL',
    'T2 read EINVAL',
    'T2 write EINVAL',
    'T2 trim EINVAL',
    'T2 flush EINVAL',
    'T2 zero EINVAL',
    'T5 read EINVAL',
    ...(mode === 'simple' ? [] : ['T11 status EINVAL']),
  ];
}
