import { readFileSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** `repeated FileDescriptorProto file = 1` of google.protobuf.FileDescriptorSet. */
const FILE_FIELD = 1;

/**
 * The compiled contracts, for gRPC reflection: each file of `proto`, and each that one of them imports, as one
 * serialized google.protobuf.FileDescriptorProto.
 */
export function readFileDescriptors(): Buffer[] {
  const reader = new BinaryReader(readFileSync(new URL('./generated/descriptors.binpb', import.meta.url)));
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === FILE_FIELD) files.push(Buffer.from(reader.bytes()));
    else reader.skip(wireType, field);
  }
  return files;
}
