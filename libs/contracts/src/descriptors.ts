import { readFileSync } from 'node:fs';

/** The compiled contracts (a serialized google.protobuf.FileDescriptorSet), for gRPC reflection. */
export function readDescriptorSet(): Buffer {
  return readFileSync(new URL('./generated/descriptors.binpb', import.meta.url));
}
