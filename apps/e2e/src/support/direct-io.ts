import { closeSync, constants, openSync } from 'node:fs';
import { makeImage, MIB } from './image.js';

/** Whether images of tests can be read and written past the page cache. */
export function hasDirectIo(): boolean {
  try {
    closeSync(openSync(makeImage(MIB, { fill: 'empty' }), constants.O_RDWR | constants.O_DIRECT));
    return true;
  } catch {
    return false;
  }
}
