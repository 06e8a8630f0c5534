import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './real-server.js';

/** A folder with a certificate authority, and a certificate of it for each of server and client. */
export function makeCertificates(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => path.join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  run(
    'openssl',
    'req',
    '-x509',
    ...key,
    '-keyout',
    file('ca-key.pem'),
    '-out',
    file('ca-cert.pem'),
    '-subj',
    '/CN=authority of a test',
  );
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  for (const who of ['server', 'client']) {
    run(
      'openssl',
      'req',
      ...key.slice(0, 4),
      '-nodes',
      '-keyout',
      file(`${who}-key.pem`),
      '-out',
      file(`${who}.csr`),
      '-subj',
      `/CN=${who}`,
    );
    run(
      'openssl',
      'x509',
      '-req',
      '-in',
      file(`${who}.csr`),
      '-CA',
      file('ca-cert.pem'),
      '-CAkey',
      file('ca-key.pem'),
      '-CAcreateserial',
      '-out',
      file(`${who}-cert.pem`),
      '-days',
      '2',
      '-extfile',
      file('names'),
    );
  }
}
