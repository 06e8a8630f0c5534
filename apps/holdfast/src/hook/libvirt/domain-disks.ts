import { HoldfastError } from '@holdfast/foundation';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { DOMAIN_DEVICES_MAX, DOMAIN_XML_BYTES_MAX } from './limits.js';

/** Namespace of the element in `<metadata>` by which a domain names devices. */
export const METADATA_NAMESPACE = 'urn:holdfast:libvirt:1';

/** A network disk that is reached through a Unix socket. */
export interface NbdDisk {
  readonly exportName: string;
  /** Path of the socket, which tells whose export it is. */
  readonly socket: string;
}

/** What a domain says of its storage, as far as it may be holdfast's. */
export interface DomainDisks {
  readonly nbdDisks: readonly NbdDisk[];
  /** Names of devices, from the metadata. */
  readonly devices: readonly string[];
}

/**
 * Reads the disks of a domain (https://libvirt.org/formatdomain.html): of `<disk type='network'>` each
 * `<source protocol='nbd' name='EXPORT'><host transport='unix' socket='PATH'/>`, also of backing chains and mirrors; and
 * in `<metadata>` each `<device name='NAME'/>` of `<devices xmlns='urn:holdfast:libvirt:1'>`.
 *
 * Whoever may define domains has written the text, so it is not trusted: its size is bounded, and a document type, which
 * is where entities come from, is refused.
 *
 * @throws HoldfastError INVALID_ARGUMENT when it is no domain in well-formed XML
 */
export function readDomainDisks(xml: string): DomainDisks {
  if (Buffer.byteLength(xml) > DOMAIN_XML_BYTES_MAX) {
    throw invalid(`is longer than ${String(DOMAIN_XML_BYTES_MAX)} bytes`);
  }
  const nbdDisks: NbdDisk[] = [];
  const devices = new Set<string>();
  /** The elements that are open, outermost first. */
  const open: SaxesTagNS[] = [];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw invalid(`is not well-formed: ${error.message}`);
  });
  parser.on('doctype', () => {
    throw invalid('has a document type, which a domain never has');
  });
  parser.on('opentag', (tag) => {
    open.push(tag);
    const device = namedDevice(open);
    if (device !== undefined) devices.add(device);
    const disk = nbdDisk(open);
    if (disk !== undefined) nbdDisks.push(disk);
    if (devices.size + nbdDisks.length > DOMAIN_DEVICES_MAX) {
      throw invalid(`names more than ${String(DOMAIN_DEVICES_MAX)} devices`);
    }
  });
  parser.on('closetag', () => open.pop());
  parser.write(xml).close();
  return { nbdDisks, devices: [...devices] };
}

/** The device that the innermost element names in the metadata. */
function namedDevice(open: readonly SaxesTagNS[]): string | undefined {
  const [domain, metadata, list, device] = open;
  if (open.length !== 4 || device === undefined || list === undefined) return undefined;
  if (domain?.name !== 'domain' || metadata?.name !== 'metadata') return undefined;
  if (list.uri !== METADATA_NAMESPACE || list.local !== 'devices') return undefined;
  if (device.uri !== METADATA_NAMESPACE || device.local !== 'device') {
    throw invalid(`has <${device.name}> among the devices of holdfast, where only <device name='…'/> may be`);
  }
  return attribute(device, 'name') ?? refuseNameless();
}

/** The disk whose `<host>` the innermost element is. */
function nbdDisk(open: readonly SaxesTagNS[]): NbdDisk | undefined {
  const [domain, devices, disk] = open;
  if (domain?.name !== 'domain' || devices?.name !== 'devices' || disk?.name !== 'disk') return undefined;
  const [source, host] = open.slice(-2);
  if (source?.name !== 'source' || host?.name !== 'host') return undefined;
  if (attribute(source, 'protocol') !== 'nbd' || attribute(host, 'transport') !== 'unix') return undefined;
  const socket = attribute(host, 'socket');
  return socket === undefined ? undefined : { exportName: attribute(source, 'name') ?? '', socket };
}

function attribute(tag: SaxesTagNS, name: string): string | undefined {
  return tag.attributes[name]?.value;
}

function refuseNameless(): never {
  throw invalid("has a <device> of holdfast without a name; write <device name='NAME'/>");
}

function invalid(problem: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `the domain's XML ${problem}`, { field: 'domain' });
}
