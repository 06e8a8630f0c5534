import { messageOf } from '@holdfast/foundation';

/** Why a TLS handshake failed, in words for the log. */
export class TlsFailure extends Error {}

/** What happened, by the codes that Node makes of OpenSSL's reasons. */
const BY_CODE: Readonly<Record<string, string>> = {
  ECONNRESET: 'the connection was closed in the middle of the TLS handshake',
  ERR_SSL_HTTP_REQUEST: 'the client sent something else than TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the client sent something else than TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client offers no version of TLS that is allowed',
  ERR_SSL_NO_SHARED_CIPHER:
    'the client offers nothing that this server can do: neither a cipher suite nor a key',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM:
    'the client has no pre-shared key, and there is no certificate for it',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'the client showed no certificate',
  ERR_SSL_BINDER_DOES_NOT_VERIFY: 'the client has another pre-shared key for its user name',
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'the client has another pre-shared key for its user name',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the client does not trust the certificate of this server',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the client does not trust the certificate of this server',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the client does not trust the certificate of this server',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the client finds that the certificate of this server has expired',
};

/**
 * @param error what Node says
 * @param stranger the user that the client named, if there is no key for it
 */
export function tlsFailure(error: unknown, stranger?: string): TlsFailure {
  if (stranger !== undefined) {
    return new TlsFailure(`there is no pre-shared key for the user "${stranger}"`, { cause: error });
  }
  const { code = '', reason } = error as { readonly code?: string; readonly reason?: string };
  return new TlsFailure(BY_CODE[code] ?? reason ?? messageOf(error), { cause: error });
}

/** @param problem the code that OpenSSL has for it, such as CERT_HAS_EXPIRED */
export function unverifiedCertificate(problem: unknown): TlsFailure {
  const words = String(problem).toLowerCase().replaceAll('_', ' ');
  return new TlsFailure(`the certificate of the client is not accepted: ${words}`);
}
