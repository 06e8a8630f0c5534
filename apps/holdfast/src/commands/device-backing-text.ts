import { durationMs, registryV1 } from '@holdfast/contracts';
import { formatSize } from '../output/size.js';

const { NbdBacking_OnDisconnect: OnDisconnect } = registryV1;

/** What a device says of what it is made from; nothing of what was left out. */
export function backingFacts(backing: registryV1.Device['backing']): Record<string, string> {
  switch (backing?.$case) {
    case undefined:
      return {};
    case 'file':
      return { kind: 'file', path: backing.value.path, ...directFacts(backing.value) };
    case 'loop':
      return { kind: 'loop', path: backing.value.path, ...loopFacts(backing.value) };
    case 'block':
      return {
        kind: 'block',
        path: backing.value.path,
        ...expectedFacts(backing.value),
        ...directFacts(backing.value),
      };
    case 'nbd':
      return { kind: 'nbd', URI: backing.value.uri, 'on disconnect': onDisconnectText(backing.value) };
  }
}

/** Where a device is: its path, or its URI. */
export function backingPlace(backing: registryV1.Device['backing']): string {
  if (backing === undefined) return '';
  return backing.$case === 'nbd' ? backing.value.uri : backing.value.path;
}

function directFacts({ directIo }: { readonly directIo: boolean }): Record<string, string> {
  return directIo ? { 'direct I/O': 'yes' } : {};
}

function loopFacts({ offset, sizeLimit, blockSize, directIo }: registryV1.LoopBacking) {
  const facts: Record<string, string> = {};
  if (offset > 0n) facts['offset'] = formatSize(offset);
  if (sizeLimit > 0n) facts['size limit'] = formatSize(sizeLimit);
  if (blockSize > 0) facts['block size'] = formatSize(BigInt(blockSize));
  return { ...facts, ...directFacts({ directIo }) };
}

function expectedFacts({ diskseq, dmName, dmUuid, wwn, serial }: registryV1.BlockBacking) {
  const facts: Record<string, string> = {};
  const expected = { diskseq, 'device-mapper name': dmName, 'device-mapper UUID': dmUuid, WWN: wwn, serial };
  for (const [name, value] of Object.entries(expected)) if (value !== '') facts[`expected ${name}`] = value;
  return facts;
}

function onDisconnectText({ onDisconnect, reconnectTimeout }: registryV1.NbdBacking): string {
  if (onDisconnect === OnDisconnect.ON_DISCONNECT_FAIL) return 'requests fail';
  const waitMs = durationMs('reconnect_timeout', reconnectTimeout, Number.MAX_SAFE_INTEGER);
  return `requests wait for ${String(waitMs / 1000)} s, and are sent again`;
}
