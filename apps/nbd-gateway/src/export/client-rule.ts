import { BlockList, isIP, isIPv6 } from 'node:net';
import type { ConnectedClient } from '../client/connected-client.js';

/** Rules of one export: a list to be read by people. */
export const CLIENT_RULES_MAX = 256;

/** Bytes of one rule: a certificate's name is a host name or an e-mail address, both shorter. */
export const CLIENT_RULE_BYTES_MAX = 512;

const UID_MAX = 0xffff_fffe;
const PREFIX = { 4: 32, 6: 128 } as const;

/** Who is meant: an address or a network, the user at the other end of a Unix socket, the name in a certificate. */
type ClientRule =
  | { readonly kind: 'network'; readonly address: string; readonly prefix: number }
  | { readonly kind: 'uid'; readonly uid: number }
  | { readonly kind: 'certificate'; readonly name: string };

/** Whether this is a rule: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`, `uid:1000`, `certificate:NAME`. */
export function isClientRule(text: string): boolean {
  return parseClientRule(text) !== undefined;
}

/** Whether the rules let a client in; without any rule they let everybody. */
export function rulesAllow(
  rules: readonly string[],
  client: Pick<ConnectedClient, 'peer' | 'certificateNames'>,
): boolean {
  // A rule that cannot be read lets nobody in.
  return rules.length === 0 || rules.some((text) => matches(parseClientRule(text), client));
}

function matches(
  rule: ClientRule | undefined,
  { peer, certificateNames }: Pick<ConnectedClient, 'peer' | 'certificateNames'>,
): boolean {
  switch (rule?.kind) {
    case 'network':
      return peer.kind === 'tcp' && contains(rule, peer.host);
    case 'uid':
      return peer.kind === 'unix' && peer.uid === rule.uid;
    case 'certificate':
      return certificateNames?.includes(rule.name) === true;
    case undefined:
      return false;
  }
}

function contains({ address, prefix }: ClientRule & { kind: 'network' }, host: string): boolean {
  // The zone of a link-local address (`fe80::1%eth0`) says where it was seen, not what it is.
  const [plain = ''] = host.split('%');
  if (isIPv6(plain) !== isIPv6(address)) return false;
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const network = new BlockList();
  network.addSubnet(address, prefix, family);
  return network.check(plain, family);
}

function parseClientRule(text: string): ClientRule | undefined {
  if (Buffer.byteLength(text) > CLIENT_RULE_BYTES_MAX) return undefined;
  const [, kind, value = ''] = /^(uid|certificate):(.*)$/s.exec(text) ?? [];
  if (kind === 'uid') {
    const uid = wholeNumber(value, UID_MAX);
    return uid === undefined ? undefined : { kind, uid };
  }
  if (kind === 'certificate') {
    // eslint-disable-next-line no-control-regex
    return value === '' || /[\u0000-\u001f\u007f]/.test(value) ? undefined : { kind, name: value };
  }
  return parseNetwork(text);
}

function parseNetwork(text: string): ClientRule | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes('%') || rest.length > 0) return undefined;
  const prefix = length === undefined ? PREFIX[family] : wholeNumber(length, PREFIX[family]);
  return prefix === undefined ? undefined : { kind: 'network', address, prefix };
}

/** A number in decimal digits, without sign or leading zeroes. */
function wholeNumber(text: string, max: number): number | undefined {
  const value = Number(text);
  return /^(0|[1-9]\d*)$/.test(text) && value <= max ? value : undefined;
}
