import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { messageOf } from '@holdfast/foundation';
import { tlsFailure } from './credential-file.js';
import type { TlsSetup } from './tls-setup.js';

/**
 * Does the TLS handshake on a stream whose server has agreed to it. The stream belongs to the result from now on.
 *
 * @throws HoldfastError NBD_TLS_FAILED if it fails, or takes longer than `handshakeMs`; the stream is closed then
 */
export function secureStream(stream: Duplex, setup: TlsSetup, handshakeMs: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let socket: TLSSocket | undefined;
    const fail = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket?.destroy();
      stream.destroy();
      reject(tlsFailure(reason, cause));
    };
    const timer = setTimeout(() => {
      fail(`the handshake did not end within ${String(handshakeMs / 1000)} s`);
    }, handshakeMs);
    const onError = (error: unknown): void => {
      fail(messageOf(error), error);
    };
    const onClose = (): void => {
      fail('the server closed the connection: it may not know our certificate or key');
    };
    try {
      socket = connect({ ...setup.options, socket: stream });
    } catch (error) {
      // Certificates and keys that cannot be parsed.
      onError(error);
      return;
    }
    const secured = socket;
    secured.on('error', onError).on('close', onClose);
    secured.once('secureConnect', () => {
      if (setup.isPreShared && Object.keys(secured.getPeerCertificate()).length > 0) {
        fail('the server showed a certificate, and did not prove that it has the pre-shared key');
        return;
      }
      clearTimeout(timer);
      secured.off('error', onError).off('close', onClose);
      resolve(secured);
    });
  });
}
