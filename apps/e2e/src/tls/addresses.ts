import path from 'node:path';
import type { Holdfast } from '../support/holdfast.js';
import type { Transport } from '../support/ready-line.js';
import { clientFolder, type TlsCredentials } from './credentials.js';

/** How a client proves who it is. */
export const proofs = ['certificate', 'key'] as const;
export type Proof = (typeof proofs)[number];

/** Who asks, how, and for what. */
export interface Access {
  readonly credentials: TlsCredentials;
  readonly proof: Proof;
  readonly transport: Transport;
  readonly exportName: string;
}

/** The client of {@link TlsCredentials} that has a certificate for it. */
export const CLIENT = 'vm1';

/** A URI for libnbd (nbd_connect_uri(3)). */
export function libnbdUri(
  { layout, port }: Holdfast,
  { credentials, proof, transport, exportName }: Access,
): string {
  const { pskUser, pskFile } = credentials;
  const user = proof === 'key' ? `${pskUser}@` : '';
  const byProof =
    proof === 'key' ? `tls-psk-file=${pskFile}` : `tls-certificates=${clientFolder(credentials, CLIENT)}`;
  return transport === 'tcp'
    ? `nbds://${user}127.0.0.1:${String(port)}/${exportName}?${byProof}`
    : `nbds+unix://${user}/${exportName}?socket=${layout.nbdSocket}&${byProof}`;
}

/** What programs of QEMU take: the object that has the credentials, and the options of the image. */
export interface QemuAccess {
  readonly object: readonly string[];
  /** For `--image-opts`. */
  readonly image: string;
}

export function qemuAccess({ layout, port }: Holdfast, access: Access): QemuAccess {
  const { credentials, proof, transport, exportName } = access;
  const object =
    proof === 'key'
      ? `tls-creds-psk,id=tls,endpoint=client,dir=${path.dirname(credentials.pskFile)},username=${credentials.pskUser}`
      : `tls-creds-x509,id=tls,endpoint=client,dir=${clientFolder(credentials, CLIENT)}`;
  const server =
    transport === 'tcp'
      ? `server.type=inet,file.server.host=127.0.0.1,file.server.port=${String(port)}`
      : `server.type=unix,file.server.path=${layout.nbdSocket},file.tls-hostname=localhost`;
  return {
    object: ['--object', object],
    image: `driver=raw,file.driver=nbd,file.${server},file.export=${exportName},file.tls-creds=tls`,
  };
}
