import { HoldfastError } from '@holdfast/foundation';

const TOKEN_BYTES = 16;

/** @throws HoldfastError INVALID_ARGUMENT unless it is 16 bytes */
export function checkToken(token: Uint8Array): Uint8Array {
  if (token.length !== TOKEN_BYTES) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `token must be ${String(TOKEN_BYTES)} bytes, has ${String(token.length)}`,
      {
        field: 'token',
      },
    );
  }
  return token;
}
