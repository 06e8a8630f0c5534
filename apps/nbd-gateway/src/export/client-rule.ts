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

/** What rules go by. */
type Subject = Pick<ConnectedClient, 'peer' | 'certificateNames'>;

/** Whether the rules let a client in; without any rule they let everybody. */
export function rulesAllow(rules: readonly string[], { peer, certificateNames }: Subject): boolean {
  if (rules.length === 0) return true;
  // A rule that cannot be read lets nobody in.
  const known = rules.map(parseClientRule).filter((rule) => rule !== undefined);
  if (peer.kind === 'tcp' && networksContain(known, peer.host)) return true;
  return known.some(
    (rule) =>
      (rule.kind === 'uid' && peer.kind === 'unix' && peer.uid === rule.uid) ||
      (rule.kind === 'certificate' && certificateNames?.includes(rule.name) === true),
  );
}

function networksContain(rules: readonly ClientRule[], host: string): boolean {
  // The zone of a link-local address (`fe80::1%eth0`) says where it was seen, not what it is.
  const [address = ''] = host.split('%');
  const networks = new BlockList();
  for (const rule of rules) {
    // A BlockList would take IPv4 addresses for members of `::/0`.
    if (rule.kind !== 'network' || isIPv6(rule.address) !== isIPv6(address)) continue;
    networks.addSubnet(rule.address, rule.prefix, familyOf(address));
  }
  return networks.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
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
