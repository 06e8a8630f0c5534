import { HoldfastError } from '@holdfast/foundation';
import { directAlignment, identifyDevice, setDirectIo } from '@holdfast/linux';
import type { LocalBacking } from '@holdfast/store';

/**
 * Has an open device read and written past the page cache, by whoever it is passed to, if its definition asks for that. Of
 * a loop device it is the file below that is used so, which the kernel was told when it was made.
 *
 * @param path for people
 * @throws HoldfastError DIRECT_IO_UNSUPPORTED, also when its last block is not whole: to write it would make it longer
 */
export function openDirectIfAsked(backing: LocalBacking, fd: number, path: string): void {
  if (backing.kind === 'loop' || backing.directIo !== true) return;
  setDirectIo(fd, path);
  const { offsetBytes } = directAlignment(fd);
  const { sizeBytes } = identifyDevice(fd);
  if (sizeBytes % offsetBytes === 0) return;
  const [size, block] = [String(sizeBytes), String(offsetBytes)];
  throw new HoldfastError(
    'DIRECT_IO_UNSUPPORTED',
    `${JSON.stringify(path)} has ${size} bytes, which is no multiple of the ${block} that direct I/O here must be aligned ` +
      `to: make it longer (truncate --size=%${block} FILE), or register the device without --direct-io`,
    { path, size, alignment: block },
  );
}
