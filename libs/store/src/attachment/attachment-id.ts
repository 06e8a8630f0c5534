import { randomBytes } from 'node:crypto';

/** Bytes of randomness: no two attachments of one machine ever meet, and a person can still compare two. */
const ID_BYTES = 8;

/** A name for a new attachment: 16 hexadecimal digits. Ids are not guessed in order, so a stale one never fits. */
export function newAttachmentId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}
