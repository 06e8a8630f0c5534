/**
 * TLS 1.3. AES-128 first: OpenSSL takes pre-shared keys with SHA-256 suites only (SSL_CTX_set_psk_server_callback(3)),
 * and it is what the processor does fastest.
 */
const TLS_1_3 = ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384'];

/** TLS 1.2 with pre-shared keys: forward secrecy and AEAD, as everywhere here. */
const TLS_1_2_PSK = [
  'ECDHE-PSK-CHACHA20-POLY1305',
  'DHE-PSK-AES128-GCM-SHA256',
  'DHE-PSK-AES256-GCM-SHA384',
  'DHE-PSK-CHACHA20-POLY1305',
];

/** TLS 1.2 with certificates. */
const TLS_1_2_CERTIFICATES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/**
 * The cipher suites in the server's order of preference, as `tls.createSecureContext` takes them. Those with keys come
 * first: a client offers them only if it has a key, but offers the others without having a certificate.
 */
export function cipherSuites({ psk, certificates }: { psk: boolean; certificates: boolean }): string {
  return [...TLS_1_3, ...(psk ? TLS_1_2_PSK : []), ...(certificates ? TLS_1_2_CERTIFICATES : [])].join(':');
}
