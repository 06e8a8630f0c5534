import * as x509 from '@peculiar/x509';

/** From when to when a certificate is valid, both included (RFC 5280, section 4.1.2.5). Whole seconds count. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate with its private key, both PEM. */
export interface Issued {
  readonly certificatePem: string;
  /** PKCS #8, not encrypted. */
  readonly privateKeyPem: string;
}

/** A name beside the subject (RFC 5280, section 4.2.1.6). */
export interface AlternativeName {
  readonly type: 'dns' | 'ip' | 'email' | 'url';
  readonly value: string;
}

/** The certificate of a server or of a client. */
export interface LeafRequest {
  /** What it may be used for: servers do not pass for clients, nor clients for servers. */
  readonly usage: 'server' | 'client';
  /** CN of the subject: 1–64 characters (RFC 5280, appendix A.1, ub-common-name). */
  readonly commonName: string;
  readonly alternativeNames?: readonly AlternativeName[];
  readonly validity: Validity;
}

/** A distinguished name of one common name: typed, so that nothing in the name is taken for syntax. */
export function commonNameOnly(commonName: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
}
