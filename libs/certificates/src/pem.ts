/** Characters of base64 in a line (RFC 7468, section 2). */
const LINE = /.{1,64}/g;

/** The textual encoding of DER (RFC 7468). @param label `CERTIFICATE`, `X509 CRL`, `PRIVATE KEY` */
export function formatPem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString('base64').match(LINE) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
